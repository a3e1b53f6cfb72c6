"""Traces: what became of messages, whose are traced, and the page on which one is seen at a glance."""

import uuid
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from devices.admin.times import readable
from devices.models import Device
from rules.admin.trace_looks import duration, page_of
from rules.models import RuleChain, Trace, TraceDemand
from rules.services.traces import MOST_MESSAGES, MOST_MINUTES, end_trace, start_trace
from tenants.admin.filters import OwnerFilter, by_recent
from tenants.admin.gate import TENANT, ShownAdmin, within_reach
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import PlatformError
from thingsboard.kernel.ids import EntityId, EntityType

MOST_DEMANDS = 50  # of the page on which they are started and ended


class OutcomeFilter(admin.SimpleListFilter):
    """Failed, or done."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Both."""
        return [("failed", "Failed"), ("done", "Done")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those that did so."""
        match self.value():
            case "failed":
                return queryset.exclude(error="")
            case "done":
                return queryset.filter(error="")
            case _:
                return queryset


class StartForm(forms.Form):
    """Whose messages, how many and for how long."""

    device = forms.CharField(label="Device", max_length=255, help_text="Its name, or its id.")
    messages = forms.IntegerField(label="Messages", min_value=1, max_value=MOST_MESSAGES, initial=10)
    minutes = forms.IntegerField(label="Minutes at most", min_value=1, max_value=MOST_MINUTES, initial=10)


@admin.register(Trace)
class TraceAdmin(ShownAdmin):
    """A tenant's to its administrators, who start them as well; all to system administrators."""

    list_display = ("when", "outcome", "originator", "type", "chain_name", "nodes", "took", "waited")
    list_filter = (OutcomeFilter, by_recent("type"), by_recent("queue"), ("tenant", OwnerFilter))
    lookups: ClassVar[frozenset[str]] = frozenset({"originator_id", "chain_id", "demand_id", "message_id"})
    search_fields = ("error", "message_id__exact")
    ordering = ("-created_time",)
    sortable_by = ("when",)
    list_before_template = "rules/admin/traces_start.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """A list reads no timelines; with the names of devices."""
        rows: Any = super().get_queryset(request)
        names = Device.objects.filter(pk=OuterRef("originator_id")).values("name")[:1]
        return rows.annotate(device_name=Subquery(names))  # type: ignore[no-any-return]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """An id is looked for as one."""
        try:
            return queryset.filter(message_id=uuid.UUID(search_term.strip())), False
        except ValueError:
            return queryset.filter(error__icontains=search_term) if search_term else queryset, False

    def get_urls(self) -> list[Any]:
        """With the page on which traces are started."""
        wrap = self.admin_site.admin_view
        return [path("start/", wrap(self.start), name="rules_trace_start"), *super().get_urls()]

    @admin.display(description="when (UTC)", ordering="created_time")
    def when(self, trace: Trace) -> str:
        """When it ran."""
        return readable(trace.created_time)

    @admin.display(description="outcome")
    def outcome(self, trace: Trace) -> SafeString:
        """Whether it failed."""
        look, text = ("tb-bad", "Failed") if trace.error else ("tb-good", "Done")
        return format_html('<span class="{}">{}</span>', look, text)

    @admin.display(description="originator")
    def originator(self, trace: Any) -> str:
        """Whose message it is."""
        return trace.device_name or f"{trace.originator_type} {trace.originator_id}"

    @admin.display(description="run")
    def took(self, trace: Trace) -> str:
        """How long the nodes took."""
        return duration(trace.run_us)

    @admin.display(description="waited")
    def waited(self, trace: Trace) -> str:
        """How long it waited for them."""
        return duration(trace.wait_us)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Whose messages are traced now stands above."""
        may = self.may(request, TENANT, Action.VIEW, None)
        active = within_reach(TraceDemand, request.user).active().count()  # type: ignore[attr-defined]
        return super().changelist_view(request, {**(extra_context or {}), "may_start": may, "active": active})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The timeline."""
        trace = self.reach(request, object_id)
        chain = within_reach(RuleChain, request.user).filter(pk=trace.chain_id).first() if trace.chain_id else None
        context = {
            **self.admin_site.each_context(request),
            "title": f"{trace.type} of {self.originator(trace)}",
            "opts": self.opts,
            "trace": trace,
            "page": page_of(trace),
            "when": readable(trace.created_time),
            "took": duration(trace.run_us),
            "total": duration(trace.total_us),
            "originator": self.originator(trace),
            "chain": chain,
            "device": Device.objects.filter(pk=trace.originator_id).first(),
        }
        return render(request, "rules/admin/trace.html", context)

    def start(self, request: HttpRequest) -> HttpResponse:
        """Start and end traces: for tenant administrators."""
        if not self.may(request, TENANT, Action.VIEW, None):
            raise Http404
        form = StartForm(initial={"device": self._named(request)})
        if request.method == "POST":
            if "end" in request.POST:
                return self._end(request)
            form = StartForm(request.POST)
            if form.is_valid() and self._started(request, form):
                return HttpResponseRedirect(request.path)
        demands = list(within_reach(TraceDemand, request.user).order_by("-created_time")[:MOST_DEMANDS])
        context = {
            **self.admin_site.each_context(request),
            "title": "Trace messages",
            "opts": self.opts,
            "form": form,
            "demands": [self._line(each) for each in _with_names(demands)],
        }
        return render(request, "rules/admin/trace_start.html", context)

    def _named(self, request: HttpRequest) -> str:
        """The device by which one came here."""
        device = _device(request, request.GET.get("device", ""))
        return "" if device is None else str(device.name)

    def _started(self, request: HttpRequest, form: StartForm) -> bool:
        said, user = form.cleaned_data, request.user
        device = _device(request, said["device"])
        if device is None:
            form.add_error("device", "There is no device of that name or id.")
            return False
        originator = EntityId(EntityType.DEVICE, device.pk)
        try:
            start_trace(
                device.tenant_id,
                originator,
                messages=said["messages"],
                minutes=said["minutes"],
                user_name=str(user),
            )
        except PlatformError as error:
            form.add_error(None, error.message)
            return False
        messages.success(
            request, f"The next {said['messages']} messages of {device.name} are traced, for {said['minutes']} min."
        )
        return True

    def _end(self, request: HttpRequest) -> HttpResponse:
        try:
            key = uuid.UUID(request.POST["end"])
        except ValueError:
            raise Http404 from None
        demand = within_reach(TraceDemand, request.user).filter(pk=key).first()
        if demand is None:
            raise Http404
        end_trace(demand)
        messages.success(request, "No further messages are traced by it.")
        return HttpResponseRedirect(request.path)

    @staticmethod
    def _line(found: tuple[TraceDemand, str]) -> dict[str, Any]:
        demand, name = found
        traces = reverse("admin:rules_trace_changelist")
        return {
            "key": demand.pk,
            "name": name,
            "taken": f"{demand.taken} of {demand.messages}",
            "until": readable(demand.until),
            "by": demand.user_name,
            "active": demand.active,
            "traces": f"{traces}?demand_id={demand.pk}",
        }


def _device(request: HttpRequest, said: str) -> Any:
    """The device of the caller's tenant that has this name or id; None where there is none."""
    rows = within_reach(Device, request.user)
    try:
        return rows.filter(pk=uuid.UUID(said)).first()
    except ValueError:
        return rows.filter(name=said.strip()).first() if said and "\0" not in said else None


def _with_names(demands: list[TraceDemand]) -> list[tuple[TraceDemand, str]]:
    keys = [each.originator_id for each in demands]
    names = dict(Device.objects.filter(pk__in=keys).values_list("pk", "name"))
    return [(each, names.get(each.originator_id) or f"{each.originator_type} {each.originator_id}") for each in demands]
