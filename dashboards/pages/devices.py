"""/devices and /devices/{id}: the devices that somebody may see, and one of them live."""

import uuid
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from dashboards.pages.page import HOME, missing, page, signed_in
from devices.models import Device, DeviceCredentials
from devices.querysets import DeviceQuerySet
from devices.services import activity
from devices.services.activity_rules import LAST_ACTIVITY
from tenants.address import base_url
from thingsboard.kernel.time import now_ms

PAGE_SIZE = 25
LONGEST_SEARCH = 255
SEARCHED = ("name", "label", "profile__name")


@signed_in
def devices(request: HttpRequest) -> HttpResponse:
    """A page of the list: `search` in names, labels and profiles, `page` from 1."""
    if getattr(request.user, "authority", "") == "SYS_ADMIN":
        return redirect(HOME)  # who sees no tenant's things
    search = request.GET.get("search", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    rows = _visible(request.user).order_by("name", "pk")
    if search:
        anywhere = Q()
        for field in SEARCHED:
            anywhere |= Q(**{f"{field}__icontains": search})
        rows = rows.filter(anywhere)
    found = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    return page(request, "devices", {"found": found, "search": search})


@signed_in
def device(request: HttpRequest, device_id: uuid.UUID) -> HttpResponse:
    """One device; 404 for what the user may not see."""
    found = _visible(request.user).filter(pk=device_id).first()
    if found is None:
        return missing(request)
    return page(request, "device", {"device": found, "facts": _facts(request, found)}, entry="device")


def _visible(user: Any) -> DeviceQuerySet:
    return Device.objects.visible_to(user).with_activity().select_related("profile", "customer")


def _facts(request: HttpRequest, device: Any) -> dict[str, Any]:
    """What the page's script is told (frontend/src/device/facts.ts); times in ms. No secret: it asks for that itself."""
    url = base_url(request)
    return {
        "id": str(device.pk),
        "now": now_ms(),
        "active": device.active,
        "lastActivity": activity.times(device.pk).get(LAST_ACTIVITY),
        "baseUrl": url,
        "mqttHost": urlsplit(url).hostname,
        "mqttPort": settings.TB_MQTT_PORT,
        "mayReadCredentials": DeviceCredentials.objects.visible_to(request.user).filter(device=device).exists(),
    }
