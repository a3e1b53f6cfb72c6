"""Queues: in which order, and how often, messages are tried."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from rules.models import Queue
from rules.services.queues import QueueFields, create_queue, delete_queue, update_queue
from tenants.admin.gate import OPERATORS, SYSTEM, GatedAdmin

_SAID = (
    "name", "topic", "poll_interval", "partitions", "consumer_per_partition", "pack_processing_timeout",
    "submit_strategy", "processing_strategy",
)  # fmt: skip


@admin.register(Queue)
class QueueAdmin(GatedAdmin):
    """Queues: the system administrator's to keep, tenants choose among them."""

    seen_by = OPERATORS
    made_by = changed_by = removed_by = SYSTEM
    list_display = ("name", "order", "strategy", "pack_processing_timeout")
    search_fields = ("name__istartswith",)
    ordering = ("name",)
    fields = _SAID

    @admin.display(description="order")
    def order(self, queue: Queue) -> str:
        """In which order messages are handed out."""
        return str(queue.submit_strategy.get("type", "-"))

    @admin.display(description="failures")
    def strategy(self, queue: Queue) -> str:
        """What becomes of those that failed."""
        return str(queue.processing_strategy.get("type", "-"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Name and topic stay what they are."""
        return () if obj is None else ("name", "topic")

    def create(self, request: HttpRequest, form: Any) -> Model:
        """A queue."""
        return create_queue(_fields(form.cleaned_data))

    def update(self, request: HttpRequest, form: Any, obj: Any) -> None:
        """What the form says of it."""
        kept = Queue.objects.get(pk=obj.pk)
        said = {**form.cleaned_data, "name": kept.name, "topic": kept.topic, "additional_info": kept.additional_info}
        update_queue(kept, _fields(said), version=form.version)

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Unless something names it."""
        delete_queue(obj)


def _fields(said: dict[str, Any]) -> QueueFields:
    return QueueFields(**{name: said[name] for name in _SAID}, additional_info=said.get("additional_info"))
