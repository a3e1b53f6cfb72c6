"""/erasures: what is being removed of deleted entities, and how far it is."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from telemetry.api.v1.base import ResourceView
from telemetry.models import Erasure
from tenants.permissions import Administrator
from thingsboard.kernel.resources import Pages


class Erasures(ResourceView):
    """Those of the caller's tenant; system administrators see all."""

    permission_classes = [Administrator]

    def get(self, request: Request) -> Response:
        """{"count", "next", "previous", "results"}, newest first; `limit` (100) and `offset` (0)."""
        pages = Pages()
        rows = Erasure.objects.visible_to(request.user).order_by("-id")
        page = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response([_json(row) for row in page])


def _json(erasure: Erasure) -> dict[str, Any]:
    return {
        "id": erasure.pk,
        "tenant_id": str(erasure.tenant_id),
        "entity_type": erasure.entity_type,
        "entity_id": str(erasure.entity_id),
        "state": erasure.state,
        "requested_ms": erasure.requested_ms,
        "deleted_rows": erasure.deleted_rows,
        "passes": erasure.passes,
        "done_ms": erasure.done_ms,
        "failing": bool(erasure.error),
    }
