"""The start page of the operators' admin: what runs, how it is, and what the devices of the caller's do."""

from typing import Any

from asgiref.sync import async_to_sync
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from devices.models import Device, Refusal
from tenants.admin.gate import within_reach
from tenants.admin.paging import capped_count
from thingsboard.health import checks
from thingsboard.kernel.time import now_ms

MOST_COUNTED = 100_000
DAY_MS = 86_400_000


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the page shows besides the health of the parts, which comes by itself when it is known."""
    devices: Any = within_reach(Device, request.user)
    refused = within_reach(Refusal, request.user).filter(last_time__gte=now_ms() - DAY_MS)
    known = capped_count(devices, MOST_COUNTED)
    active = capped_count(devices.with_activity().filter(active=True), MOST_COUNTED)
    version = checks.timescale_version()
    return {
        **context,
        "title": "Overview",
        "devices": known,
        "active": active,
        "inactive": max(known - active, 0),
        "more": known == MOST_COUNTED,
        "refused": refused.aggregate(total=Sum("count"))["total"] or 0,
        "store": f"TimescaleDB {version}" if version else "native partitions",
    }


@never_cache
def health(request: HttpRequest) -> HttpResponse:
    """A piece of the start page: the health of the parts, which may take seconds to ask for when one does not answer."""
    outcomes = async_to_sync(checks.run_all)()
    return render(request, "thingsboard/admin/health.html", {"checks": outcomes})
