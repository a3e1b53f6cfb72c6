"""The audit log: who did what, from where, and what it changed. Nobody changes it."""

import json
from datetime import UTC, datetime
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tenants.admin.gate import ShownAdmin
from tenants.models import AuditLog
from thingsboard.kernel.entities import registered


class KindFilter(admin.SimpleListFilter):
    """By kind of entity, of those that exist: reading them off the log would read all of it."""

    title = "kind of entity"
    parameter_name = "entity_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Each kind with what it is called."""
        return [(kind.value, door.title) for kind, door in sorted(registered().items())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditLog]) -> QuerySet[AuditLog]:
        """What was done to that kind."""
        return queryset.filter(entity_type=self.value()) if self.value() else queryset


@admin.register(AuditLog)
class AuditLogAdmin(ShownAdmin):
    """Who did what, from where, and what it changed."""

    lookups = frozenset({"entity_id", "user_id"})
    list_display = ("when", "user_name", "action", "entity_type", "entity_name", "success", "address")
    list_filter = ("action", "success", KindFilter)
    search_fields = ("user_name__istartswith", "entity_name__istartswith", "address__startswith")
    ordering = ("-created_time",)
    sortable_by = ("when",)
    fields = (
        "when", "user_name", "address", "action", "success", "failure", "entity_type", "entity_name", "entity_id",
        "tenant_id", "customer_id", "user_id", "changes",
    )  # fmt: skip
    readonly_fields = ("when", "changes")

    @admin.display(description="When (UTC)", ordering="created_time")
    def when(self, row: AuditLog) -> str:
        """The time, to the millisecond."""
        moment = datetime.fromtimestamp(row.created_time / 1000, UTC)
        return moment.replace(tzinfo=None).isoformat(" ", "milliseconds")

    @admin.display(description="What changed")
    def changes(self, row: AuditLog) -> SafeString:
        """Every member that changed with its value before and after; what is said besides stands after its name."""
        before, after = (row.data.get(side) or {} for side in ("before", "after"))
        besides = {name: value for name, value in row.data.items() if name not in {"before", "after"}}
        lines = [
            (name, _shown(before, name), _shown(after, name) or _shown(besides, name))
            for name in {**before, **after, **besides}
        ]
        return format_html(
            '<table class="tb-table"><tr><th>Member</th><th>Before</th><th>After</th></tr>{}</table>',
            format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td></tr>", lines),
        )


def _shown(values: dict[str, Any], name: str) -> str:
    """A value as text: texts as they are, all else as JSON; "" where there is none."""
    value = values.get(name)
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)
