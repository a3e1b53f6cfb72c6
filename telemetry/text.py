"""Values as ThingsBoard writes them out as text: over the WebSocket always, over REST unless types are asked for."""

from decimal import Decimal
from math import isfinite

from telemetry.points import Value

# Where Java's Double.toString leaves plain decimals for a mantissa and an exponent.
_PLAIN_FROM, _PLAIN_BELOW = 1e-3, 1e7


def text(value: Value | None) -> str | None:
    """A value as ThingsBoard writes it out: `true`, `25`, `25.0`, `1.0E7`."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _java_double(value)


def _java_double(value: float) -> str:
    """Java's Double.toString: scientific from 10^7 on and below 10^-3, with at least one decimal."""
    if value == 0 or not isfinite(value) or _PLAIN_FROM <= abs(value) < _PLAIN_BELOW:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    figures = "".join(map(str, digits))
    power = len(figures) - 1 + int(exponent)
    fraction = figures[1:].rstrip("0") or "0"
    return f"{'-' if sign else ''}{figures[0]}.{fraction}E{power}"
