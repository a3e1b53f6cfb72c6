"""Java's arithmetic with doubles: what Python refuses is infinite or not a number there, never an error."""

import math
from collections.abc import Callable
from typing import Final

_LONG: Final = 1 << 63
_NAN: Final = math.nan
_EXPONENTS: Final = 1023


def divide(a: float, b: float) -> float:
    """Without an error at zero."""
    if b:
        return a / b
    if a == 0 or math.isnan(a) or math.isnan(b):
        return _NAN
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def power(a: float, b: float) -> float:
    """Of floats alone: the largest power is infinite, and takes no longer than the smallest one."""
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:  # a root of what is negative, or zero to something negative
        if a != 0:
            return _NAN
        return math.copysign(math.inf, a) if b % 2 == 1 else math.inf


def log(a: float) -> float:
    """To the base e."""
    return _logarithm(math.log, a, 0.0)


def log10(a: float) -> float:
    """To the base 10."""
    return _logarithm(math.log10, a, 0.0)


def log2(a: float) -> float:
    """To the base 2, as exp4j does it."""
    return log(a) / math.log(2)


def log1p(a: float) -> float:
    """Of 1 + a, to the base e."""
    return _logarithm(math.log1p, a, -1.0)


def exp(a: float) -> float:
    """E to the power of a."""
    return _large(math.exp, a)


def expm1(a: float) -> float:
    """One less than e to the power of a."""
    return _large(math.expm1, a)


def sinh(a: float) -> float:
    """Hyperbolic sine."""
    return math.copysign(_large(math.sinh, abs(a)), a)


def cosh(a: float) -> float:
    """Hyperbolic cosine."""
    return _large(math.cosh, a)


def sqrt(a: float) -> float:
    """Square root."""
    return _NAN if a < 0 else math.sqrt(a)


def sin(a: float) -> float:
    """Sine."""
    return _NAN if math.isinf(a) else math.sin(a)


def cos(a: float) -> float:
    """Cosine."""
    return _NAN if math.isinf(a) else math.cos(a)


def tan(a: float) -> float:
    """Tangent."""
    return _NAN if math.isinf(a) else math.tan(a)


def asin(a: float) -> float:
    """Inverse sine."""
    return math.asin(a) if -1 <= a <= 1 else _NAN


def acos(a: float) -> float:
    """Inverse cosine."""
    return math.acos(a) if -1 <= a <= 1 else _NAN


def ceil(a: float) -> float:
    """The next whole number above."""
    return float(math.ceil(a)) if math.isfinite(a) else a


def floor(a: float) -> float:
    """The next whole number below."""
    return float(math.floor(a)) if math.isfinite(a) else a


def signum(a: float) -> float:
    """1, -1, or a itself where it is zero or not a number."""
    return math.copysign(1.0, a) if a < 0 or a > 0 else a


def exponent(a: float) -> float:
    """That of the binary representation, without its bias."""
    if not math.isfinite(a):
        return _EXPONENTS + 1.0
    return float(max(math.frexp(a)[1] - 1, -_EXPONENTS)) if a else -float(_EXPONENTS)


def smaller(a: float, b: float) -> float:
    """Of two; what is not a number wins."""
    return _NAN if math.isnan(a) or math.isnan(b) else min(a, b)


def larger(a: float, b: float) -> float:
    """Of two; what is not a number wins."""
    return _NAN if math.isnan(a) or math.isnan(b) else max(a, b)


def whole(a: float) -> int:
    """As a Java long: cut off, and at its ends where it is larger; 0 for what is not a number."""
    if math.isnan(a):
        return 0
    return int(min(max(a, -_LONG), _LONG - 1)) if math.isfinite(a) else (_LONG - 1 if a > 0 else -_LONG)


def floor_div(a: float, b: float) -> float:
    """Of longs. Raises ValueError where b is zero."""
    return float(whole(a) // _divisor(b))


def floor_mod(a: float, b: float) -> float:
    """Of longs. Raises ValueError where b is zero."""
    return float(whole(a) % _divisor(b))


def remainder(a: float, b: float) -> float:
    """With the sign of a."""
    return _NAN if math.isinf(a) else math.fmod(a, b)


def _divisor(b: float) -> int:
    divisor = whole(b)
    if divisor == 0:
        raise ValueError("/ by zero")
    return divisor


def _logarithm(function: Callable[[float], float], a: float, pole: float) -> float:
    if a == pole:
        return -math.inf
    return function(a) if a > pole else _NAN


def _large(function: Callable[[float], float], a: float) -> float:
    try:
        return function(a)
    except OverflowError:
        return math.inf
