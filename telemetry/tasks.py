"""Housekeeping of history, run by Celery: each of them does what is due now, and may be run at any time."""

from celery import shared_task
from django.db import connection

from telemetry import erasure
from telemetry.store.maintenance import maintain


@shared_task(  # type: ignore[untyped-decorator]
    name="telemetry.tasks.maintain_partitions"
)
def maintain_partitions() -> None:
    """Partitions ahead of time, far points moved in, old data dropped (hourly; telemetry.store.maintenance)."""
    maintain(connection)


@shared_task(  # type: ignore[untyped-decorator]
    name="telemetry.tasks.erase"
)
def erase() -> None:
    """Remove what was measured of deleted entities, for some seconds (every TB_ERASURE_SECONDS; telemetry.erasure)."""
    erasure.work_off()
