"""What scripts of rule nodes may use, as the settings say, and for how long their process waits for the next one."""

from typing import Final

from django.conf import settings

from thingsboard.kernel.script import Limits

JAIL_IDLE_S: Final = 300.0


def script_limits() -> Limits:
    """Of this platform."""
    return Limits(
        timeout_ms=settings.TB_SCRIPT_TIMEOUT_MS,
        memory_bytes=settings.TB_SCRIPT_MEMORY_BYTES,
        longest_result=settings.TB_SCRIPT_RESULT_SIZE,
        scripts=settings.TB_SCRIPTS_KEPT,
    )
