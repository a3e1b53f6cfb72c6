"""The operations of the node "math function" (ThingsBoard's TbRuleNodeMathFunctionType), and how its results are rounded."""

import math
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Final, NamedTuple

from rules.node import arithmetic

CUSTOM: Final = "CUSTOM"
MOST_ARGUMENTS: Final = 16  # of CUSTOM

# No double has more decimal places before or behind the point.
_MOST_PLACES: Final = 350
_DECIMAL: Final = Context(prec=1_100, rounding=ROUND_HALF_UP)


class Operation(NamedTuple):
    """One operation. `whole`: its result is a whole number whatever the precision is."""

    apply: Callable[..., float]
    takes: int = 1
    whole: bool = False


OPERATIONS: Final[Mapping[str, Operation]] = {
    "ADD": Operation(lambda a, b: a + b, 2),
    "SUB": Operation(lambda a, b: a - b, 2),
    "MULT": Operation(lambda a, b: a * b, 2),
    "DIV": Operation(arithmetic.divide, 2),
    "SIN": Operation(arithmetic.sin),
    "SINH": Operation(arithmetic.sinh),
    "COS": Operation(arithmetic.cos),
    "COSH": Operation(arithmetic.cosh),
    "TAN": Operation(arithmetic.tan),
    "TANH": Operation(math.tanh),
    "ACOS": Operation(arithmetic.acos),
    "ASIN": Operation(arithmetic.asin),
    "ATAN": Operation(math.atan),
    "ATAN2": Operation(math.atan2, 2),
    "EXP": Operation(arithmetic.exp),
    "EXPM1": Operation(arithmetic.expm1),
    "SQRT": Operation(arithmetic.sqrt),
    "CBRT": Operation(math.cbrt),
    "GET_EXP": Operation(arithmetic.exponent, whole=True),
    "HYPOT": Operation(math.hypot, 2),
    "LOG": Operation(arithmetic.log),
    "LOG10": Operation(arithmetic.log10),
    "LOG1P": Operation(arithmetic.log1p),
    "CEIL": Operation(arithmetic.ceil, whole=True),
    "FLOOR": Operation(arithmetic.floor, whole=True),
    "FLOOR_DIV": Operation(arithmetic.floor_div, 2),
    "FLOOR_MOD": Operation(arithmetic.floor_mod, 2),
    "ABS": Operation(abs),
    "MIN": Operation(arithmetic.smaller, 2),
    "MAX": Operation(arithmetic.larger, 2),
    "POW": Operation(arithmetic.power, 2),
    "SIGNUM": Operation(arithmetic.signum),
    "RAD": Operation(math.radians),
    "DEG": Operation(math.degrees),
}


def rounded(value: float, places: int, whole: bool) -> float | int:
    """A result as it is saved: a whole number is cut off, others are rounded half up. Raises ValueError where there is none."""
    if whole or places == 0:
        return arithmetic.whole(value)
    if not math.isfinite(value):
        raise ValueError("The result is infinite or not a number.")
    unit = Decimal(1).scaleb(-max(min(places, _MOST_PLACES), -_MOST_PLACES))
    try:
        return float(Decimal(repr(value)).quantize(unit, context=_DECIMAL))
    except InvalidOperation:  # pragma: no cover - the context has room for every double
        raise ValueError(f"{value} cannot be rounded to {places} places.") from None
