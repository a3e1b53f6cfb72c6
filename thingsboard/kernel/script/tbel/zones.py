"""The rules of the named time zones, as the last line of their files has them (RFC 9636, section 3.3)."""

from contextlib import suppress
from functools import cache
from importlib.resources import files
from zoneinfo import available_timezones


@cache
def zones() -> dict[str, str]:
    """POSIX rules by the name of the zone: {"Europe/Berlin": "CET-1CEST,M3.5.0,M10.5.0/3"}."""
    found: dict[str, str] = {}
    for name in sorted(available_timezones()):
        with suppress(OSError):
            data = files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()
            if data.startswith(b"TZif") and (rule := data.rstrip(b"\n").rpartition(b"\n")[2].decode("ascii")):
                found[name] = rule
    return found
