"""How long the audit log is kept."""

from django.conf import settings

from tenants.models import AuditLog
from thingsboard.kernel.time import now_ms

DAY_MS = 86_400_000
MOST_AT_ONCE = 5_000  # rows that one statement removes


def forget_old() -> int:
    """Remove what is older than TB_AUDIT_RETENTION_DAYS (0: nothing), in slices of MOST_AT_ONCE; returns how many rows."""
    days: int = settings.TB_AUDIT_RETENTION_DAYS
    if not days:
        return 0
    old = AuditLog.objects.filter(created_time__lt=now_ms() - days * DAY_MS).order_by("created_time")
    removed = 0
    while True:
        # Each slice is a transaction of its own: nothing waits for the whole, and what is done stays done.
        gone, _ = AuditLog.objects.filter(pk__in=old.values("pk")[:MOST_AT_ONCE]).delete()
        removed += gone
        if gone < MOST_AT_ONCE:
            return removed
