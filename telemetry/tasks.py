"""Housekeeping of history, run by Celery."""

from celery import shared_task
from django.db import connection

from telemetry.store.maintenance import maintain


@shared_task(  # type: ignore[untyped-decorator]
    name="telemetry.tasks.maintain_partitions"
)
def maintain_partitions() -> None:
    """Partitions ahead of time, far points moved in, old data dropped (hourly; telemetry.store.maintenance)."""
    maintain(connection)
