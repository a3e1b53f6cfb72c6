"""/api/v1/refusals: why devices did not connect, or were not listened to."""

import uuid
from typing import Any, Final

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import UserRateThrottle

from devices.models import Refusal
from devices.services.refusals import shown
from tenants.permissions import SignedIn, TenantAdmin, callers_tenant
from thingsboard.kernel.api import JsonParser, Query, path_uuid, text_of
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.resources import Pages

LAST_MS: Final = 2**63 - 1
# A wrong token that is asked for may be longer than one that could be right: a MQTT user name, up to this.
LONGEST_ASKED = 8192


class RefusalSerializer(serializers.ModelSerializer[Refusal]):
    """One row; times in ms since 1970."""

    device = serializers.SerializerMethodField()

    class Meta:
        model = Refusal
        fields = (
            "first_time", "last_time", "count", "transport", "address", "reason", "message", "device", "client_id",
            "token_prefix",
        )  # fmt: skip

    def get_device(self, refusal: Refusal) -> dict[str, str] | None:
        """Id and name, None where none was recognised."""
        device = refusal.device
        return None if device is None else {"id": str(device.pk), "name": device.name}


class _RefusalList(GenericAPIView[Refusal]):
    """What both have in common: newest first, filtered, on pages."""

    pagination_class = Pages
    serializer_class = RefusalSerializer

    def page(self, rows: QuerySet[Refusal], request: Request) -> Response:
        """The asked page of those that the query wants."""
        rows = _filtered(rows, Query(request)).select_related("device").order_by("-last_time", "-pk")
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(rows), many=True).data)


class Refusals(_RefusalList):
    """GET /api/v1/refusals"""

    permission_classes = [SignedIn]

    def get_queryset(self) -> QuerySet[Refusal]:
        """What was refused of the caller's devices; for system administrators, of those who belong to no tenant."""
        rows: QuerySet[Refusal] = Refusal.objects.visible_to(self.request.user)
        return rows

    def get(self, request: Request) -> Response:
        """A page of it."""
        return self.page(self.get_queryset(), request)


class SearchThrottle(UserRateThrottle):
    """Nobody tries tokens out here."""

    scope = "refusals"
    rate = "30/min"


class Search(_RefusalList):
    """POST /api/v1/refusals/search"""

    permission_classes = [TenantAdmin]
    parser_classes = [JsonParser]
    throttle_classes = [SearchThrottle]

    def post(self, request: Request) -> Response:
        """What became of whoever showed exactly this token: `{"token": "..."}`, or this user name with this password:
        `{"token": "...", "password": "..."}`. Knowing it whole is the proof.
        """
        body: Any = request.data
        if not isinstance(body, dict):
            raise BadRequest("Expected a JSON object.")
        token = text_of(body, "token", longest=LONGEST_ASKED)
        if not token:
            raise BadRequest("token: expected the whole access token")
        password = text_of(body, "password", longest=LONGEST_ASKED)
        lookup = shown(token, password.encode())
        return self.page(Refusal.objects.of_token(lookup, callers_tenant(request)), request)


def _filtered(rows: QuerySet[Refusal], query: Query) -> QuerySet[Refusal]:
    """By `device` (an id), `transport`, `reason` (a code) and `since` (ms since 1970)."""
    if "device" in query:
        device: uuid.UUID = path_uuid(query["device"])
        rows = rows.filter(device_id=device)
    if "transport" in query:
        rows = rows.filter(transport=query["transport"].upper())
    if "reason" in query:
        rows = rows.filter(reason=query["reason"])
    if "since" in query:
        rows = rows.filter(last_time__gte=query.whole("since", 0, low=0, high=LAST_MS))
    return rows
