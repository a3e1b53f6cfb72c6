"""Housekeeping of devices, run by Celery."""

from celery import shared_task

from devices.services import activity
from devices.services.refusals import forget_old


@shared_task(  # type: ignore[untyped-decorator]
    name="devices.tasks.forget_refusals"
)
def forget_refusals() -> None:
    """Old refusals (hourly; the number of each tenant's is bounded when they are written)."""
    forget_old()


@shared_task(  # type: ignore[untyped-decorator]
    name="devices.tasks.review_activity"
)
def review_activity() -> None:
    """Devices that have been silent for too long become inactive (every TB_DEVICE_INACTIVITY_CHECK_SECONDS)."""
    activity.review()
