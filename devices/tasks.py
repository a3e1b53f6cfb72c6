"""What the clock does with devices, run by Celery."""

from celery import shared_task

from devices.services import activity


@shared_task(  # type: ignore[untyped-decorator]
    name="devices.tasks.review_activity"
)
def review_activity() -> None:
    """Devices that have been silent for too long become inactive (every TB_DEVICE_INACTIVITY_CHECK_SECONDS)."""
    activity.review()
