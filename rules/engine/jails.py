"""The processes in which scripts of rule nodes run: what a script may use, as the settings say, and who has one."""

from functools import cache
from typing import Final

from django.conf import settings

from thingsboard.kernel.script import Jail, Limits

DRAIN_IDLE_S: Final = 300.0
PEOPLE_IDLE_S: Final = 60.0


def jail_of_a_drain() -> Jail:
    """Another one for each drain, which closes it."""
    return Jail(script_limits(), idle_s=DRAIN_IDLE_S)


@cache
def jail_of_people() -> Jail:
    """The one of this process for what people try out; it ends soon after they have."""
    return Jail(script_limits(), idle_s=PEOPLE_IDLE_S)


def script_limits() -> Limits:
    """Of this platform."""
    return Limits(
        timeout_ms=settings.TB_SCRIPT_TIMEOUT_MS,
        memory_bytes=settings.TB_SCRIPT_MEMORY_BYTES,
        longest_result=settings.TB_SCRIPT_RESULT_SIZE,
        scripts=settings.TB_SCRIPTS_KEPT,
    )
