"""/api/v1/users: users of our own API."""

from typing import Any

from django.db import transaction
from django_filters import rest_framework as filters
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.activation import link_for
from tenants.models import Authority, User
from tenants.permissions import Administrator, SignedIn, caller
from tenants.services.documents import last_login_ms
from tenants.services.passwords import require_policy
from tenants.services.sessions import set_enabled
from tenants.services.user_places import Wish, place_for, require_same_place
from tenants.services.users import UserFields, create_user, delete_user, update_user
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import BadRequest, Forbidden
from thingsboard.kernel.filters import CreatedBetween, FlagFilter
from thingsboard.kernel.resources import ResourceViewSet


class UserSerializer(serializers.ModelSerializer[User]):
    """A user. Where it belongs is said when it is made, by whoever may; later it must be the same or absent."""

    name = serializers.CharField(source="email", read_only=True)
    email = serializers.CharField(max_length=255)  # the service says what an address is, and whether it is taken
    authority = serializers.ChoiceField(choices=Authority.choices, required=False)
    tenant_id = serializers.UUIDField(required=False, allow_null=True)
    customer_id = serializers.UUIDField(required=False, allow_null=True)
    additional_info = serializers.DictField(required=False, allow_null=True)
    enabled = serializers.BooleanField(source="is_active", required=False)
    activated = serializers.SerializerMethodField()
    last_login_time = serializers.SerializerMethodField()
    password = serializers.CharField(
        write_only=True, required=False, trim_whitespace=False, help_text="Of a new user; without one it gets a link."
    )
    version = serializers.IntegerField(
        required=False, help_text="What the caller last saw; 409 if there is a newer one."
    )

    class Meta:
        model = User
        fields = (
            "id", "created_time", "name", "email", "authority", "tenant_id", "customer_id", "first_name", "last_name",
            "phone", "enabled", "activated", "last_login_time", "additional_info", "password", "version",
        )  # fmt: skip

    def get_activated(self, user: User) -> bool:
        """Whether it has a password."""
        return user.has_usable_password()

    def get_last_login_time(self, user: User) -> int | None:
        """In ms; None before the first login."""
        return last_login_ms(user)


class ActivationLinkSerializer(serializers.Serializer[Any]):
    """By which a new user chooses its first password."""

    value = serializers.CharField()
    ttl_ms = serializers.IntegerField()


class UserFilter(CreatedBetween):
    """What may be asked for."""

    authority = filters.ChoiceFilter(choices=Authority.choices)
    tenant_id = filters.UUIDFilter()
    customer_id = filters.UUIDFilter()
    enabled = FlagFilter(field_name="is_active")

    class Meta:
        model = User
        fields = ("authority", "tenant_id", "customer_id", "enabled")


class Users(ResourceViewSet):
    """Users: administrators manage those of their place, everybody else itself."""

    rows = User.objects.all()
    title = "User"
    serializer_class = UserSerializer
    filterset_class = UserFilter
    ordering_fields = ("created_time", "email", "first_name", "last_name", "authority")
    search_fields = ("email", "first_name", "last_name")

    def get_permissions(self) -> list[BasePermission]:
        """Only administrators make, delete and hand on links."""
        managing = self.request.method in {"POST", "DELETE"} or self.action == "activation_link"
        return [Administrator() if managing else SignedIn()]

    def make(self, data: dict[str, Any]) -> User:
        """POST: with a password, or without one and with an activation link."""
        place, password = place_for(caller(self.request), _wish(data)), data.get("password")
        if password is not None:
            require_policy(password)
        fields = _fields(data)
        return create_user(
            fields.email,
            place.authority,
            password=password,
            tenant=place.tenant,
            customer=place.customer,
            first_name=fields.first_name,
            last_name=fields.last_name,
            phone=fields.phone,
            additional_info=fields.additional_info,
            is_active=data.get("is_active", True),
        )

    @transaction.atomic
    def change(self, found: User, data: dict[str, Any]) -> User:
        """PUT: everything but `enabled`, which stays where it is absent."""
        by, enabled = caller(self.request), data.get("is_active", found.is_active)
        if "password" in data:
            raise BadRequest("password: expected for a new user only; others change theirs by auth/changePassword.")
        require_same_place(found, _wish(data))
        changed = update_user(found, _fields(data), by=by, version=data.get("version"))
        if enabled != changed.is_active:
            if by.authority == Authority.CUSTOMER_USER:
                raise Forbidden
            set_enabled(changed, enabled, by=by)
        return changed

    def remove(self, found: User) -> None:
        """DELETE; nobody deletes itself."""
        delete_user(found, by=caller(self.request))

    @action(detail=True, url_path="activationLink", filter_backends=[], serializer_class=ActivationLinkSerializer)
    def activation_link(self, request: Request, pk: Any = None) -> Response:
        """The link of a user without a password, for administrators to hand on. 400 once it is activated."""
        link, ttl_ms = link_for(request, self.get_object())
        return Response({"value": link, "ttl_ms": ttl_ms}, headers={"Cache-Control": "no-store"})

    def wanted(self) -> Action:
        """A link is as good as a password."""
        return Action.MANAGE if self.action == "activation_link" else super().wanted()


def _wish(data: dict[str, Any]) -> Wish:
    return Wish(data.get("authority", ""), data.get("tenant_id"), data.get("customer_id"))


def _fields(data: dict[str, Any]) -> UserFields:
    return UserFields(
        email=data["email"],
        first_name=data.get("first_name", ""),
        last_name=data.get("last_name", ""),
        phone=data.get("phone", ""),
        additional_info=data.get("additional_info"),
    )
