"""/api/v1/userGroups: groups of a tenant's customer users, which things are shared with."""

from typing import Any

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.models import User, UserGroup
from tenants.permissions import TenantAdmin, callers_tenant
from tenants.services.groups import (
    MOST_MEMBERS,
    add_members,
    create_user_group,
    delete_user_group,
    remove_members,
    update_user_group,
)
from thingsboard.kernel.resources import ResourceViewSet
from thingsboard.kernel.serializers import JsonObject


class UserGroupSerializer(serializers.ModelSerializer[UserGroup]):
    """A group without its members."""

    name = serializers.CharField(max_length=255)
    additional_info = JsonObject(required=False, allow_null=True)

    class Meta:
        model = UserGroup
        fields = ("id", "created_time", "tenant_id", "name", "additional_info", "version")
        read_only_fields = ("version",)


class UserMemberSerializer(serializers.ModelSerializer[User]):
    """A member."""

    class Meta:
        model = User
        fields = ("id", "email", "first_name", "last_name", "customer_id")
        read_only_fields = fields


class UserIdsSerializer(serializers.Serializer[Any]):
    """Whom to take in or to dismiss."""

    ids = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_MEMBERS)


class UserGroups(ResourceViewSet):
    """Groups of users."""

    rows = UserGroup.objects.all()
    title = "User group"
    serializer_class = UserGroupSerializer
    permission_classes = [TenantAdmin]

    def make(self, data: dict[str, Any]) -> UserGroup:
        """POST."""
        return create_user_group(
            callers_tenant(self.request), data["name"], additional_info=data.get("additional_info")
        )

    def change(self, found: UserGroup, data: dict[str, Any]) -> UserGroup:
        """PUT."""
        return update_user_group(found, data["name"], additional_info=data.get("additional_info"))

    def remove(self, found: UserGroup) -> None:
        """DELETE."""
        delete_user_group(found)

    @action(detail=True, filter_backends=[], serializer_class=UserMemberSerializer)
    def members(self, request: Request, pk: Any = None) -> Response:
        """The group's users, by e-mail address."""
        page = self.paginate_queryset(self.get_object().members)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @action(detail=True, methods=["post"], url_path="members/add", serializer_class=UserIdsSerializer)
    def add(self, request: Request, pk: Any = None) -> Response:
        """Take the users `ids` in: all or none."""
        add_members(self.get_object(), self._validated()["ids"])
        return Response(status=204)

    @action(detail=True, methods=["post"], url_path="members/remove", serializer_class=UserIdsSerializer)
    def dismiss(self, request: Request, pk: Any = None) -> Response:
        """Dismiss the users `ids`; who is no member counts for nothing."""
        remove_members(self.get_object(), self._validated()["ids"])
        return Response(status=204)
