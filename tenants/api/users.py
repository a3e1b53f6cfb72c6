"""/api/user: one user (compat/data_model.md 2.1)."""

import uuid
from typing import Any

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.address import client_address
from tenants.api.shapes import user_fields, user_wish
from tenants.auth.jwt import issue_pair
from tenants.models import User
from tenants.permissions import Administrator, SignedIn, caller
from tenants.services.auth_events import AuthEvent, record
from tenants.services.documents import user_json
from tenants.services.sessions import set_enabled
from tenants.services.user_places import place_for, require_same_place
from tenants.services.users import create_user, delete_user, update_user
from thingsboard.kernel.api import Query, View, id_of, path_uuid, version_of
from thingsboard.kernel.entities import Action, not_found
from thingsboard.kernel.errors import BadRequest, Forbidden
from thingsboard.kernel.ids import EntityType


def visible_user(request: Request, user_id: str | uuid.UUID, action: Action = Action.VIEW) -> User:
    """A user with whom the caller may do this. Raises NotFound for one it does not see, Forbidden for one it only sees."""
    key = path_uuid(str(user_id))
    user: User | None = User.objects.visible_to(request.user, action).filter(pk=key).first()
    if user is None:
        if action is not Action.VIEW and User.objects.visible_to(request.user).filter(pk=key).exists():
            raise Forbidden
        raise not_found(EntityType.USER, key)
    return user


class Users(View):
    """POST /api/user"""

    def post(self, request: Request) -> Response:
        """Create, or replace where the body has an id.

        A new user has no password. Mail does not exist yet, so `sendActivationMail` is read and no more: the
        administrator gets the link from /api/user/{id}/activationLink and hands it on.
        """
        body, by = self.body(request), caller(request)
        Query(request).flag("sendActivationMail", True)
        key = id_of(body, "id", EntityType.USER)
        if key is None:
            return Response(user_json(self._created(by, body)))
        found = visible_user(request, key, Action.MANAGE)
        require_same_place(found, user_wish(body))
        return Response(user_json(update_user(found, user_fields(body), by=by, version=version_of(body))))

    def _created(self, by: User, body: dict[str, Any]) -> User:
        place, fields = place_for(by, user_wish(body)), user_fields(body)
        return create_user(
            fields.email,
            place.authority,
            tenant=place.tenant,
            customer=place.customer,
            first_name=fields.first_name,
            last_name=fields.last_name,
            phone=fields.phone,
            additional_info=fields.additional_info,
        )


class OneUser(View):
    """/api/user/{id}"""

    def get_permissions(self) -> list[BasePermission]:
        """Administrators delete."""
        return [Administrator() if self.request.method == "DELETE" else SignedIn()]

    def get(self, request: Request, user_id: str) -> Response:
        """A user that the caller may see."""
        return Response(user_json(visible_user(request, user_id)))

    def delete(self, request: Request, user_id: str) -> Response:
        """Delete it; nobody deletes itself."""
        delete_user(visible_user(request, user_id, Action.MANAGE), by=caller(request))
        return Response()


class CredentialsEnabled(View):
    """POST /api/user/{id}/userCredentialsEnabled?userCredentialsEnabled="""

    permission_classes = [Administrator]

    def post(self, request: Request, user_id: str) -> Response:
        """Switch it on or off; off ends its sessions."""
        enabled = Query(request).flag("userCredentialsEnabled", True)
        set_enabled(visible_user(request, user_id, Action.MANAGE), enabled, by=caller(request))
        return Response()


class TokenAccessEnabled(View):
    """GET /api/user/tokenAccessEnabled"""

    permission_classes = [Administrator]

    def get(self, request: Request) -> Response:
        """Whether administrators may log in as their users (TB_USER_TOKEN_ACCESS)."""
        return Response(settings.TB_USER_TOKEN_ACCESS)


class UserToken(View):
    """GET /api/user/{id}/token"""

    permission_classes = [Administrator]

    def get(self, request: Request, user_id: str) -> Response:
        """A pair with which the administrator is that user; the audit log says who asked for it."""
        if not settings.TB_USER_TOKEN_ACCESS:
            raise Forbidden
        user = visible_user(request, user_id, Action.MANAGE)
        if not user.is_active:
            raise BadRequest("User account is not active")
        address = client_address(request._request)
        record(AuthEvent.TOKEN_ISSUED, user=user, address=address, why=f"by {caller(request).email}")
        return Response(issue_pair(user).to_json(), headers={"Cache-Control": "no-store"})
