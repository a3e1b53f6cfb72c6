"""Alarms: what is wrong now, and what was; acknowledged and cleared by the services, one or many at a time."""

import json
import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString

from alarms.admin.filters import RaisedFilter, StatusFilter
from alarms.models import Alarm
from alarms.services.alarms import acknowledge_alarm, clear_alarm, delete_alarm
from alarms.services.originators import name_and_label, names_of
from devices.admin.times import readable
from tenants.admin.filters import OwnerFilter, ReachFilter, by_recent
from tenants.admin.gate import TENANT, ShownAdmin
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import PlatformError

MOST_AT_ONCE = 1000  # alarms of one action

DEEDS: dict[str, tuple[Callable[..., Any], str]] = {
    "acknowledge": (acknowledge_alarm, "acknowledged"),
    "clear": (clear_alarm, "cleared"),
}


@admin.register(Alarm)
class AlarmAdmin(ShownAdmin):
    """Alarms. Nothing of them is edited; what can be done to them, tenant administrators do."""

    removed_by = TENANT
    lookups = frozenset({"originator_id"})
    actions = ("acknowledge", "clear")
    list_display = ("raised", "type", "severity", "in_status", "about", "assignee", "tenant", "last_raised")
    list_select_related = ("tenant", "assignee")
    list_filter = (
        StatusFilter, "severity", by_recent("type"), RaisedFilter, ("assignee", ReachFilter), ("tenant", OwnerFilter),
    )  # fmt: skip
    search_fields = ("type__istartswith",)
    ordering = ("-created_time",)
    sortable_by = ("raised", "type")
    fields = (
        "type", "severity", "in_status", "about", "told", "assignee", "raised", "since", "last_raised", "acknowledged_at",
        "cleared_at", "assigned_at", "propagation", "customer", "tenant", "originator_type", "originator_id",
    )  # fmt: skip
    readonly_fields = fields
    change_form_outer_before_template = "alarms/admin/alarm_deeds.html"

    # What is shown.

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """With the names of what the page's alarms are about, asked for at once."""
        page = super().get_changelist_instance(request)
        names = names_of(page.result_list)
        for alarm in page.result_list:
            alarm.about = name_and_label(alarm, names)[0]
        return page

    @admin.display(description="Raised (UTC)", ordering="created_time")
    def raised(self, alarm: Alarm) -> str:
        """When it was raised first."""
        return readable(alarm.created_time)

    @admin.display(description="last raised (UTC)")
    def last_raised(self, alarm: Alarm) -> str:
        """When it was raised last."""
        return readable(alarm.end_ts)

    @admin.display(description="since (UTC)")
    def since(self, alarm: Alarm) -> str:
        """When it began."""
        return readable(alarm.start_ts)

    @admin.display(description="acknowledged (UTC)")
    def acknowledged_at(self, alarm: Alarm) -> str:
        """When somebody saw it."""
        return readable(alarm.ack_ts) if alarm.acknowledged else "-"

    @admin.display(description="cleared (UTC)")
    def cleared_at(self, alarm: Alarm) -> str:
        """When it was over."""
        return readable(alarm.clear_ts) if alarm.cleared else "-"

    @admin.display(description="assigned (UTC)")
    def assigned_at(self, alarm: Alarm) -> str:
        """When somebody was asked to look after it, or nobody any more."""
        return readable(alarm.assign_ts) if alarm.assign_ts else "-"

    @admin.display(description="status")
    def in_status(self, alarm: Alarm) -> SafeString:
        """In words, and with a mark: red while it is active."""
        mark = "tb-good" if alarm.cleared else "tb-bad"
        return format_html('<span class="{}">{}</span>', mark, alarm.status.label)

    @admin.display(description="originator")
    def about(self, alarm: Any) -> str:
        """The name of what it is about."""
        known = alarm.__dict__.get("about")
        return known if known is not None else name_and_label(alarm, names_of([alarm]))[0]

    @admin.display(description="details")
    def told(self, alarm: Alarm) -> SafeString | str:
        """What was said of it, as JSON."""
        if alarm.details is None:
            return "-"
        return format_html('<pre class="tb-command">{}</pre>', json.dumps(alarm.details, indent=2, ensure_ascii=False))

    @admin.display(description="propagates")
    def propagation(self, alarm: Alarm) -> str:
        """To whom it is shown besides."""
        relations = ", ".join(alarm.propagate_relation_types) or "any"
        shown = [
            name
            for name, wanted in (
                (f"to related entities ({relations})", alarm.propagate),
                ("to its owner", alarm.propagate_to_owner),
                ("to the tenant", alarm.propagate_to_tenant),
            )
            if wanted
        ]
        return ", ".join(shown) or "-"

    # What is done.

    def may_act(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether the caller acknowledges and clears."""
        return self.may(request, TENANT, Action.CONTROL, obj)

    def has_act_permission(self, request: HttpRequest) -> bool:
        """The same, as Django asks for the actions of a list."""
        return self.may_act(request)

    def get_actions(self, request: HttpRequest) -> Any:
        """Without Django's own removal, of which the services would hear nothing."""
        found = dict(super().get_actions(request))
        found.pop("delete_selected", None)
        return found

    @admin.action(description="Acknowledge", permissions=["act"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Alarm]) -> None:
        """The selected ones."""
        self._do(request, queryset, "acknowledge")

    @admin.action(description="Clear", permissions=["act"])
    def clear(self, request: HttpRequest, queryset: QuerySet[Alarm]) -> None:
        """The selected ones."""
        self._do(request, queryset, "clear")

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """By the service."""
        delete_alarm(obj)

    def get_urls(self) -> list[Any]:
        """With what the buttons of an alarm's page send."""
        wrap = self.admin_site.admin_view
        return [path("<uuid:key>/do/<str:deed>/", wrap(self.deed), name="alarms_alarm_deed"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With its buttons."""
        alarm = self.reach(request, object_id)
        extra = {**(extra_context or {}), "alarm": alarm if self.may_act(request, alarm) else None}
        answer: HttpResponse = super().change_view(request, object_id, form_url, extra)
        return answer

    def deed(self, request: HttpRequest, key: uuid.UUID, deed: str) -> HttpResponse:
        """Acknowledge or clear one."""
        alarm = self.reach(request, str(key))
        if deed not in DEEDS or not self.may_act(request, alarm):
            raise Http404
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self._do(request, [alarm], deed)
        return HttpResponseRedirect(self.page_of(key))

    def _do(self, request: HttpRequest, alarms: Any, deed: str) -> None:
        """Do it to each by itself, and say how many it was done to, and why not to others."""
        service, done = DEEDS[deed]
        refused: list[str] = []
        count = 0
        for alarm in alarms[:MOST_AT_ONCE]:
            try:
                service(alarm)
                count += 1
            except PlatformError as error:
                refused.append(error.message)
        if count:
            messages.success(request, f"{count} alarm{'' if count == 1 else 's'} {done}.")
        for reason in sorted(set(refused)):
            messages.warning(request, f"{refused.count(reason)} not {done}: {reason}")
