"""Payload bytes to typed values: the one decoder of telemetry and attributes (compat/device_transports.md 1).

Pure, and hot: orjson does the work, and only numbers whose *text* decides their kind (exponents, more than 16 decimals, 19
digits and more) take a second, exact look.
"""

import json
import re
from collections.abc import Callable
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from math import isfinite
from typing import Any

import orjson

from telemetry.points import END_OF_TIME_MS, Json, Reading, Value

DEEPEST = 64
LARGEST_SHORT_INT = 10**18
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
MOST_DECIMALS = 16  # BigDecimal scale above which ThingsBoard keeps the text

# Numbers of which orjson's result does not tell the kind.
_TELLING_TEXT = re.compile(rb"[0-9][eE]|\.[0-9]{17}|[0-9]{19}")
# What Apache NumberUtils.isParsable accepts, ASCII digits only.
_PARSABLE = re.compile(r"-?[0-9]*\.?[0-9]+", re.ASCII)
_NUMBER_START = frozenset("-.0123456789")
_NUMBER = re.compile(r"-?[0-9]*\.?[0-9]+([eE][-+]?[0-9]{1,3})?", re.ASCII)
_WIDE = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


class Rules:
    """The settings of a decoder: whether number-like strings become numbers, the longest string (0: any), most keys."""

    __slots__ = ("cast", "longest_string", "most_keys")

    def __init__(self, *, cast: bool = True, longest_string: int = 0, most_keys: int = 1000) -> None:
        self.cast = cast
        self.longest_string = longest_string
        self.most_keys = most_keys


def telemetry_from_json(
    body: bytes,
    now_ms: int,
    rules: Rules,
    *,
    stamp: Callable[[int], int] | None = None,
    skip_nulls: bool = True,
) -> list[Reading]:
    """The readings of a telemetry payload: `{k: v}`, `{"ts", "values"}` or an array of either.

    Values without a time stamp get `stamp(now_ms)`, one a payload, or `now_ms`. Null values are left out, or refused with
    skip_nulls=False (the REST API's rule). Raises ValueError with a sentence.
    """
    try:
        return _readings(_parse(body), body, now_ms, rules, stamp, skip_nulls)
    except _NeedsText:
        return _readings(_parse_exactly(body), b"", now_ms, rules, stamp, skip_nulls)


def attributes_from_json(body: bytes, rules: Rules, *, skip_nulls: bool = True) -> dict[str, Value]:
    """The attributes of a payload: one flat object. Raises ValueError with a sentence."""
    try:
        return _attributes(_parse(body), body, rules, skip_nulls)
    except _NeedsText:
        return _attributes(_parse_exactly(body), b"", rules, skip_nulls)


def typed(value: Value | None) -> Any:
    """A value for orjson to write: of its own kind, JSON as it was stored."""
    return orjson.Fragment(str(value)) if isinstance(value, Json) else value


class _NeedsText(Exception):
    """A number's text decides its kind, so the body must be read once more, keeping the text."""


class _Number(str):
    """The text of a number, as the exact reading hands it out."""

    __slots__ = ()


def _parse(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"Not valid JSON: {error}") from None


def _parse_exactly(body: bytes) -> Any:
    """The document with every number as its text. orjson accepted the body before, so it is valid UTF-8 and JSON."""
    try:
        return json.loads(body, parse_float=_Number, parse_int=_Number)
    except RecursionError:
        raise ValueError(f"The JSON is nested deeper than {DEEPEST} levels.") from None


def _readings(
    document: Any,
    body: bytes,
    now_ms: int,
    rules: Rules,
    stamp: Callable[[int], int] | None,
    skip_nulls: bool,
) -> list[Reading]:
    own_ts: int | None = None
    readings: list[Reading] = []
    if body and type(document) is list and len(document) > 1:
        _refuse_telling(body)  # once, not for each reading
        body = b""
    for item in document if type(document) is list else (document,):
        if type(item) is not dict:
            raise ValueError("Expected a JSON object, or an array of objects.")
        if "ts" in item and "values" in item:
            ts, values = item["ts"], item["values"]
            if type(ts) is not int or not 0 <= ts < END_OF_TIME_MS:
                ts = _timestamp(ts)
            if type(values) is not dict:
                raise ValueError('Expected an object as "values".')
        else:
            if own_ts is None:
                own_ts = now_ms if stamp is None else stamp(now_ms)
            ts, values = own_ts, item
        values = _converted(values, body, rules, skip_nulls)
        if values:
            readings.append((ts, values))
    return readings


def _attributes(document: Any, body: bytes, rules: Rules, skip_nulls: bool) -> dict[str, Value]:
    if type(document) is not dict:
        raise ValueError("Expected a JSON object of attributes.")
    return _converted(document, body, rules, skip_nulls)


def _converted(values: dict[str, Any], body: bytes, rules: Rules, skip_nulls: bool) -> dict[str, Value]:
    """The values as they are stored; the same dict where nothing had to change.

    `body` is where they came from, or empty when every number is its text already.
    """
    if len(values) > rules.most_keys:
        raise ValueError(f"Too many keys in one object: {len(values)}; at most {rules.most_keys} are accepted.")
    changes = False
    numbers = False
    for value in values.values():
        kind = type(value)
        if kind is bool:
            continue
        if kind is int:
            numbers = numbers or not -LARGEST_SHORT_INT < value < LARGEST_SHORT_INT
        elif kind is float:
            numbers = True
        else:
            changes = True
    if numbers:
        _refuse_telling(body)
        body = b""
    if not changes:
        return values
    converted: dict[str, Value] = {}
    for key, value in values.items():
        if value is not None:
            if body and (type(value) is dict or type(value) is list):
                _refuse_telling(body)  # numbers inside keep their text
                body = b""
            converted[key] = _value(key, value, rules)
        elif not skip_nulls:
            raise ValueError(f"Can't parse value: null (key {key[:40]!r})")
    return converted


def _refuse_telling(body: bytes) -> None:
    """Raise _NeedsText if some number's text may decide its kind. A search through the whole body: once is enough."""
    if _TELLING_TEXT.search(body):
        raise _NeedsText


def _value(key: str, value: Any, rules: Rules) -> Value:
    """One value that is not null, as it is stored."""
    kind = type(value)
    if kind is bool or kind is int or kind is float:
        return value  # type: ignore[no-any-return]
    if kind is _Number:
        return _number(value, rules)
    if kind is str:
        if "\0" in value:
            raise ValueError(f"The value of {key[:40]!r} holds a NUL character, which cannot be stored.")
        if rules.cast and value and value[0] in _NUMBER_START and _PARSABLE.fullmatch(value):
            return _number(value, rules)
        text: str = value
    else:
        _refuse_depth(value)
        text = Json(_dump(value))
        if "\\u0000" in text and _has_nul(value):
            raise ValueError(f"The value of {key[:40]!r} holds a NUL character, which cannot be stored.")
    if rules.longest_string and len(text) > rules.longest_string:
        raise ValueError(
            f"The value of {key[:40]!r} has {len(text)} characters; at most {rules.longest_string} are kept."
        )
    return text


def _number(text: str, rules: Rules) -> Value:
    """The value of a number's text by ThingsBoard's rules: LONG, DOUBLE, or the text itself where neither can hold
    it.
    """
    exact = Decimal(text)
    simple_double = "." in text and "e" not in text and "E" not in text
    if not simple_double and (exact == 0 or exact.normalize(_WIDE).as_tuple().exponent >= 0):  # type: ignore[operator]
        if exact.adjusted() < 20 and INT64_MIN <= exact <= INT64_MAX:
            return int(exact)
        if not rules.cast:
            raise ValueError(f"Big integer values are not supported: {text[:40]}")
        return str(text)
    if -exact.as_tuple().exponent <= MOST_DECIMALS:  # type: ignore[operator]
        value = float(exact)
        if isfinite(value):
            return value
    if not rules.cast:
        raise ValueError(f"Big decimal values are not supported: {text[:40]}")
    return str(text)


def _timestamp(raw: Any) -> int:
    """A time stamp that is not a plain int in range: a whole number in other clothes, or an error."""
    if type(raw) is float or (isinstance(raw, str) and len(raw) <= 32 and _NUMBER.fullmatch(raw)):
        exact = Decimal(raw)
        if 0 <= exact < END_OF_TIME_MS:
            return int(exact)
    raise ValueError('Expected "ts" as milliseconds from 0 to 4102444799999 (the end of 2099).')


def _dump(value: Any) -> str:
    """JSON text; numbers that came as text keep it."""
    if type(value) is _Number:
        return str(value)
    if type(value) is dict:
        return "{" + ",".join(f"{_dump(key)}:{_dump(item)}" for key, item in value.items()) + "}"
    if type(value) is list:
        return "[" + ",".join(map(_dump, value)) + "]"
    return orjson.dumps(value).decode()


def _refuse_depth(value: Any) -> None:
    level, depth = [value], 1
    while level:
        if depth > DEEPEST:
            raise ValueError(f"The JSON is nested deeper than {DEEPEST} levels.")
        level = [
            item
            for holder in level
            for item in (holder.values() if type(holder) is dict else holder)
            if type(item) is dict or type(item) is list
        ]
        depth += 1


def _has_nul(value: Any) -> bool:
    """Whether any string or key inside holds a NUL (the text alone cannot tell: a backslash may be escaped itself)."""
    if isinstance(value, str):
        return "\0" in value
    if type(value) is dict:
        return any(_has_nul(key) or _has_nul(item) for key, item in value.items())
    return type(value) is list and any(map(_has_nul, value))
