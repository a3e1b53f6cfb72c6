"""What things that can be shared have in common: /shares below a device or a group of devices."""

import uuid
from typing import Any

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from devices.services.shares import Holder, Share, share_with, shares_of, withdraw_from
from tenants.access import SHAREABLE
from tenants.models import User, UserGroup
from tenants.permissions import TenantAdmin
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import BadRequest, NotFound


class ShareSerializer(serializers.Serializer[Any]):
    """With whom (a user or a group of users: one of both), and what they may do."""

    user = serializers.UUIDField(required=False, help_text="A customer user.")
    user_group = serializers.UUIDField(required=False, help_text="A group of users.")
    action = serializers.ChoiceField(choices=[each.value for each in SHAREABLE])

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One holder."""
        if ("user" in attrs) == ("user_group" in attrs):
            raise serializers.ValidationError("Expected either user or user_group.")
        return attrs


class Shares:
    """Mixed into a ResourceViewSet; tenant administrators share."""

    @action(detail=True, methods=["get", "post"], serializer_class=ShareSerializer, permission_classes=[TenantAdmin])
    def shares(self: Any, request: Request, pk: Any = None) -> Response:
        """GET: with whom it is shared. POST: share it, instead of what that holder was allowed before."""
        found = self.get_object()
        if request.method == "POST":
            data = self._validated()
            holder = _holder(request.user, data.get("user"), data.get("user_group"))
            share_with(found, holder, Action(data["action"]))
        return Response([_told(each) for each in shares_of(found)])

    @action(
        detail=True,
        methods=["delete"],
        url_path="shares/<uuid:holder>",
        url_name="share",
        permission_classes=[TenantAdmin],
    )
    def withdraw(self: Any, request: Request, holder: uuid.UUID, pk: Any = None) -> Response:
        """Take back what is shared with this user or group."""
        found = self.get_object()
        for each in shares_of(found):
            if each.holder.pk == holder:
                withdraw_from(found, each.holder)
                return Response(status=204)
        raise NotFound(f"It is not shared with [{holder}]")


def _holder(caller: Any, user: uuid.UUID | None, group: uuid.UUID | None) -> Holder:
    """Whom the caller names, if it may see them. Raises BadRequest."""
    found: Holder | None
    if user is not None:
        found = User.objects.visible_to(caller).filter(pk=user).first()
    elif group is None:
        found = None
    else:
        found = UserGroup.objects.visible_to(caller).filter(pk=group).first()
    if found is None:
        raise BadRequest(f"There is no such {'user' if user else 'user group'}: {user or group}")
    return found


def _told(share: Share) -> dict[str, Any]:
    kind = "user" if isinstance(share.holder, User) else "user_group"
    return {kind: str(share.holder.pk), "name": str(share.holder), "action": share.action.value}
