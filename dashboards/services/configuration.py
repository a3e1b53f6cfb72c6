"""What a dashboard's configuration must be (compat/data_model.md 4): ThingsBoard's own, of which nothing is ever lost.

Checked is the form of the parts that pages and clients read: who sends something else is told where it stands. What we do
not know passes untouched, and null stands for what is absent.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from thingsboard.kernel.errors import BadRequest, PayloadTooLarge
from thingsboard.kernel.ids import parse_uuid

LARGEST_CONFIGURATION = 4 * 1024 * 1024  # bytes
MOST_WIDGETS = 1000
MOST_COLUMNS = 1000
_LONGEST_NAME_SHOWN = 60

Check = Callable[[Any, str], None]


def encoded(configuration: Any) -> str:
    """The configuration as the JSON text that is stored. Raises BadRequest with the path of what is wrong, PayloadTooLarge."""
    check(configuration)
    try:
        text = orjson.dumps(configuration)
    except (TypeError, ValueError) as error:  # what no parser of ours makes: lone surrogates, too many levels
        raise BadRequest(f"configuration: {error}") from None
    if len(text) > LARGEST_CONFIGURATION:
        raise PayloadTooLarge(
            f"configuration: {len(text)} bytes; expected at most {LARGEST_CONFIGURATION}. Move its images elsewhere."
        )
    return text.decode()


def check(configuration: Any) -> None:
    """Raise BadRequest, whose message begins with the path, for the first part that has not the form it must have."""
    if configuration is None:
        return
    for name, child, path in _members(configuration, "configuration"):
        if found := _PARTS.get(name):
            found(child, path)


def _widgets(widgets: Any, path: str) -> None:
    if isinstance(widgets, dict | list) and len(widgets) > MOST_WIDGETS:
        raise BadRequest(f"{path}: {len(widgets)} widgets; expected at most {MOST_WIDGETS}")
    if isinstance(widgets, list):  # as ThingsBoard had it before 2.0; kept, though no page can show it
        for child, below in _items(widgets, path):
            _object(child, below)
        return
    for _, widget, below in _members(widgets, path):
        _each(widget, below, {"typeFullFqn": _text, "type": _text, "config": _widget_config, **_PLACE})


def _widget_config(config: Any, path: str) -> None:
    _each(config, path, {"datasources": _datasources, "timewindow": _timewindow, "title": _text})


def _datasources(datasources: Any, path: str) -> None:
    for datasource, below in _items(datasources, path):
        _each(
            datasource,
            below,
            {"type": _text, "entityAliasId": _text, "deviceId": _text, "dataKeys": _keys, "latestDataKeys": _keys},
        )


def _keys(keys: Any, path: str) -> None:
    for key, below in _items(keys, path):
        _each(key, below, {"name": _text, "type": _text, "label": _text, "color": _text, "units": _units})


def _units(units: Any, path: str) -> None:
    """A text, or since ThingsBoard 4.1 an object of units by system."""
    if units is not None and not isinstance(units, str | dict):
        raise _wrong(path, "a text or an object", units)


def _timewindow(window: Any, path: str) -> None:
    _each(window, path, {"realtime": _realtime, "history": _object, "aggregation": _object})


def _realtime(realtime: Any, path: str) -> None:
    _each(realtime, path, {"timewindowMs": _number})


def _aliases(aliases: Any, path: str) -> None:
    for _, alias, below in _members(aliases, path):
        _each(alias, below, {"alias": _text, "filter": _filter})


def _filter(found: Any, path: str) -> None:
    _each(found, path, {"type": _text})
    kind = found.get("type") if isinstance(found, dict) else None
    if kind == "entityList":
        _each(found, path, {"entityType": _text, "entityList": _ids})
    elif kind == "singleEntity":
        _each(found, path, {"singleEntity": _entity})


def _ids(ids: Any, path: str) -> None:
    for each, below in _items(ids, path):
        _uuid(each, below)


def _entity(entity: Any, path: str) -> None:
    _each(entity, path, {"entityType": _text, "id": _uuid})


def _states(states: Any, path: str) -> None:
    for _, state, below in _members(states, path):
        _each(state, below, {"name": _text, "layouts": _layouts})


def _layouts(layouts: Any, path: str) -> None:
    for _, layout, below in _members(layouts, path):
        _each(layout, below, {"widgets": _places, "gridSettings": _grid})


def _places(places: Any, path: str) -> None:
    for _, place, below in _members(places, path):
        _each(place, below, _PLACE)


def _grid(grid: Any, path: str) -> None:
    _each(grid, path, {"columns": _columns})


def _columns(columns: Any, path: str) -> None:
    _number(columns, path)
    if columns is not None and not 1 <= columns <= MOST_COLUMNS:
        raise BadRequest(f"{path}: expected from 1 to {MOST_COLUMNS} columns, got {columns}")


# The kinds of value. Each takes null for what is absent.


def _text(value: Any, path: str) -> None:
    if value is not None and not isinstance(value, str):
        raise _wrong(path, "a text", value)


def _number(value: Any, path: str) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _wrong(path, "a number", value)


def _object(value: Any, path: str) -> None:
    if value is not None and not isinstance(value, dict):
        raise _wrong(path, "an object", value)


def _uuid(value: Any, path: str) -> None:
    if value is None:
        return
    try:
        parse_uuid(value)
    except ValueError:
        raise _wrong(path, "a UUID", value) from None


def _each(value: Any, path: str, checks: Mapping[str, Check]) -> None:
    """An object, some of whose members are checked."""
    _object(value, path)
    for name, check_member in checks.items():
        if value is not None and name in value:
            check_member(value[name], f"{path}.{name}")


def _members(value: Any, path: str) -> Iterator[tuple[str, Any, str]]:
    """Name, value and path of the members of an object."""
    _object(value, path)
    for name, child in (value or {}).items():
        yield name, child, f"{path}.{name[:_LONGEST_NAME_SHOWN]}"


def _items(value: Any, path: str) -> Iterator[tuple[Any, str]]:
    """Items of an array and their paths."""
    if value is not None and not isinstance(value, list):
        raise _wrong(path, "an array", value)
    for number, child in enumerate(value or []):
        yield child, f"{path}[{number}]"


def _wrong(path: str, expected: str, value: Any) -> BadRequest:
    names = {dict: "an object", list: "an array", str: "a text", bool: "a boolean", int: "a number", float: "a number"}
    got = names.get(type(value), "something else")
    if isinstance(value, str) and expected == "a UUID":
        got = f"'{value[:_LONGEST_NAME_SHOWN]}'"
    return BadRequest(f"{path}: expected {expected}, got {got}")


_PLACE: Mapping[str, Check] = {"sizeX": _number, "sizeY": _number, "row": _number, "col": _number}
_PARTS: Mapping[str, Check] = {
    "widgets": _widgets,
    "entityAliases": _aliases,
    "states": _states,
    "timewindow": _timewindow,
    "settings": _object,
}
