"""The functions that may stand at the end of a JSONPath (Jayway's): `$.readings.length()`."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final


def _size(found: Any, _: int) -> int | None:
    return len(found) if isinstance(found, list | dict) else None


def _keys(found: Any, _: int) -> list[str] | None:
    return list(found) if isinstance(found, dict) else None


def _element(found: Any, index: int) -> Any:
    """Raises ValueError where there is none."""
    if not isinstance(found, list):
        return None
    try:
        return found[index]
    except IndexError:
        raise ValueError(f"The array has {len(found)} elements, none at {index}.") from None


def _numbers(found: Any) -> list[float]:
    elements = found if isinstance(found, list) else []
    numbers = [float(each) for each in elements if isinstance(each, int | float) and not isinstance(each, bool)]
    if not numbers:
        raise ValueError("Aggregation function attempted to calculate value using empty array")
    return numbers


def _deviation(found: Any, _: int) -> float:
    numbers = _numbers(found)
    mean = math.fsum(numbers) / len(numbers)
    return math.sqrt(math.fsum((each - mean) ** 2 for each in numbers) / len(numbers))


FUNCTIONS: Final[Mapping[str, Callable[[Any, int], Any]]] = {
    "length": _size,
    "size": _size,
    "keys": _keys,
    "first": lambda found, _: _element(found, 0),
    "last": lambda found, _: _element(found, -1),
    "index": _element,
    "min": lambda found, _: min(_numbers(found)),
    "max": lambda found, _: max(_numbers(found)),
    "sum": lambda found, _: math.fsum(_numbers(found)),
    "avg": lambda found, _: math.fsum(_numbers(found)) / len(_numbers(found)),
    "stddev": _deviation,
}
