"""The guard that this platform is set up with."""

from functools import cache

from django.conf import settings

from thingsboard.kernel.outgoing.guard import Guard


@cache
def guard() -> Guard:
    """One for the whole process: TB_SSRF_GUARD and TB_SSRF_ALLOWED."""
    return Guard(enabled=settings.TB_SSRF_GUARD, allowed=settings.TB_SSRF_ALLOWED)
