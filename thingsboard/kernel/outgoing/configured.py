"""The guard that this platform is set up with."""

from functools import lru_cache

from django.conf import settings

from thingsboard.kernel.outgoing.guard import Guard


def guard() -> Guard:
    """As TB_SSRF_GUARD and TB_SSRF_ALLOWED say; one for the whole process."""
    return _made(settings.TB_SSRF_GUARD, tuple(settings.TB_SSRF_ALLOWED))


@lru_cache(maxsize=1)
def _made(enabled: bool, allowed: tuple[str, ...]) -> Guard:
    return Guard(enabled=enabled, allowed=allowed)
