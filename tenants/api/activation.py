"""First passwords: the administrator's link, and what stands behind it (compat/data_model.md 2.1)."""

from urllib.parse import urlencode

from rest_framework.request import Request
from rest_framework.response import Response

from tenants.address import base_url, client_address
from tenants.api.auth import first_text
from tenants.api.users import visible_user
from tenants.auth.jwt import issue_pair
from tenants.models import User
from tenants.permissions import Administrator, caller
from tenants.services import activation
from tenants.services.passwords import policy
from thingsboard.kernel.api import JsonRenderer, Query, TextRenderer, View
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import BadRequest

CHOOSE_PASSWORD = "/login/createPassword"  # noqa: S105 - a path
LINK_EXPIRED = "/activationLinkExpired"


def link_for(request: Request, user: User) -> tuple[str, int]:
    """The link of a user whom the caller may manage, and for how many ms it is good. 400 once it is activated."""
    token, ttl_ms = activation.activation_link(user, shown_to=caller(request))
    return f"{base_url(request._request)}/api/noauth/activate?{urlencode({'activateToken': token})}", ttl_ms


class ActivationLinkInfo(View):
    """GET /api/user/{id}/activationLinkInfo -> {"value", "ttlMs"}."""

    permission_classes = [Administrator]

    def get(self, request: Request, user_id: str) -> Response:
        """The link, for the administrator to hand on. 400 once the user is activated."""
        link, ttl_ms = self.link(request, user_id)
        return Response({"value": link, "ttlMs": ttl_ms})

    def link(self, request: Request, user_id: str) -> tuple[str, int]:
        """The link and for how many ms it is good."""
        return link_for(request, visible_user(request, user_id, Action.MANAGE))


class ActivationLink(ActivationLinkInfo):
    """GET /api/user/{id}/activationLink -> the link as text; errors are JSON."""

    renderer_classes = [JsonRenderer, TextRenderer]

    def get(self, request: Request, user_id: str) -> Response:
        """The link."""
        link, _ = self.link(request, user_id)
        request.accepted_renderer, request.accepted_media_type = TextRenderer(), TextRenderer.media_type
        return Response(link)


class Activate(View):
    """/api/noauth/activate: open to everybody who has a link."""

    authentication_classes = []
    permission_classes = []

    def get(self, request: Request) -> Response:
        """The link is opened: leads to the page that asks for a password. 409 when there is no such link."""
        token = request.query_params.get("activateToken", "")
        expired = activation.is_expired(token)
        if expired is None:
            return Response(status=409)
        where = LINK_EXPIRED if expired else f"{CHOOSE_PASSWORD}?{urlencode({'activateToken': token})}"
        return Response(status=303, headers={"Location": where})

    def post(self, request: Request) -> Response:
        """{"activateToken", "password"} -> a pair. Mail does not exist yet: `sendActivationMail` is read, no more."""
        Query(request).flag("sendActivationMail", True)
        body = self.body(request)
        token, password = first_text(body, "activateToken"), first_text(body, "password")
        if not token or not password:
            raise BadRequest("activateToken and password: expected two texts.")
        user = activation.activate(token, password, address=client_address(request._request))
        return Response(issue_pair(user).to_json())


class PasswordPolicy(View):
    """GET /api/noauth/userPasswordPolicy."""

    authentication_classes = []
    permission_classes = []

    def get(self, request: Request) -> Response:
        """The rules for passwords."""
        return Response(policy())
