"""Housekeeping of sessions and of the audit log, run by Celery."""

from celery import shared_task
from django.core.management import call_command

from tenants.services.audit_retention import forget_old
from tenants.services.sessions import forget_expired


@shared_task(  # type: ignore[untyped-decorator]
    name="tenants.tasks.forget_expired_sessions"
)
def forget_expired_sessions() -> None:
    """Logged-out sessions whose tokens are too old by now, old activation links, browser sessions (hourly)."""
    forget_expired()
    call_command("clearsessions")


@shared_task(  # type: ignore[untyped-decorator]
    name="tenants.tasks.trim_audit_log"
)
def trim_audit_log() -> None:
    """What is older than TB_AUDIT_RETENTION_DAYS (hourly)."""
    forget_old()
