"""/dashboards, /dashboards/{id} and its editor: the dashboards that somebody may see, one of them live, and its JSON."""

import uuid
from typing import Any

import orjson
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from dashboards.models import Dashboard
from dashboards.pages.page import HOME, missing, page, signed_in
from thingsboard.kernel.entities import Action
from thingsboard.kernel.time import now_ms

PAGE_SIZE = 25
LONGEST_SEARCH = 255

# What the editor begins with: a form to fill in, which is a valid dashboard as well.
_EMPTY = {
    "widgets": {},
    "states": {"default": {"root": True, "layouts": {"main": {"widgets": {}, "gridSettings": {"columns": 24}}}}},
    "entityAliases": {},
    "timewindow": {"realtime": {"timewindowMs": 300_000}, "aggregation": {"type": "NONE"}},
}  # fmt: skip


@signed_in
def dashboards(request: HttpRequest) -> HttpResponse:
    """A page of the list: `search` in titles, `page` from 1."""
    if getattr(request.user, "authority", "") == "SYS_ADMIN":
        return redirect(HOME)  # who sees no tenant's things
    search = request.GET.get("search", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    rows = Dashboard.objects.visible_to(request.user).with_customers(request.user).order_by("title", "pk")
    if search:
        rows = rows.filter(title__icontains=search)
    found = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"found": found, "search": search, "may_manage": _may_manage(request.user)}
    return page(request, "dashboards", context)


@signed_in
def dashboard(request: HttpRequest, dashboard_id: uuid.UUID) -> HttpResponse:
    """One dashboard; 404 for what the user may not see. Its script asks the API for the configuration."""
    found = Dashboard.objects.visible_to(request.user).filter(pk=dashboard_id).first()
    if found is None:
        return missing(request)
    context = {
        "dashboard": found,
        "facts": {"id": str(found.pk), "now": now_ms()},
        "may_manage": Dashboard.objects.visible_to(request.user, Action.MANAGE).filter(pk=found.pk).exists(),
    }
    return page(request, "dashboard", context, entry="dashboard")


@signed_in
def edit(request: HttpRequest, dashboard_id: uuid.UUID) -> HttpResponse:
    """The JSON of one; 404 for who may not change it."""
    found = Dashboard.objects.visible_to(request.user, Action.MANAGE).whole().filter(pk=dashboard_id).first()
    if found is None:
        return missing(request)
    return _editor(request, found, orjson.loads(found.configuration))


@signed_in
def new(request: HttpRequest) -> HttpResponse:
    """The editor with an empty dashboard; 404 for who may not make one."""
    return _editor(request, None, _EMPTY) if _may_manage(request.user) else missing(request)


def _editor(request: HttpRequest, found: Any, configuration: Any) -> HttpResponse:
    # As text of ours: a browser would round integers beyond 2^53.
    text = orjson.dumps(configuration, option=orjson.OPT_INDENT_2).decode()
    context = {
        "dashboard": found,
        "configuration": text,
        "facts": {"id": str(found.pk) if found else None, "version": found.version if found else None},
    }
    return page(request, "dashboard_edit", context, entry="dashboardEdit")


def _may_manage(user: Any) -> bool:
    return getattr(user, "authority", "") == "TENANT_ADMIN"
