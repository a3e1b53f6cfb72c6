"""Writes of users' own settings: replaced whole, merged by paths, removed by paths.

A path is `menu.width`: names of members with dots between them; so names hold neither dots nor commas. Not in the audit
log: nobody else's business, and they change with every click.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction

from tenants.models import SettingsKind, User, UserSettings
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.errors import BadRequest

LARGEST = 65_536  # bytes of the settings of one kind, as JSON
DEEPEST = 32  # levels
MOST_PATHS = 1000

Settings = dict[str, Any]


def read_settings(user: User, kind: SettingsKind) -> Settings:
    """They are {} until something is saved."""
    found = UserSettings.objects.filter(user=user, kind=kind).first()
    return found.value if found is not None else {}


def replace_settings(user: User, kind: SettingsKind, value: Settings) -> Settings:
    """Have these and nothing else. Raises BadRequest for names with dots or commas and for what is too large or deep."""
    return _change(user, kind, lambda _: value)


def merge_settings(user: User, kind: SettingsKind, changes: Settings) -> Settings:
    """Set what each path of `changes` names, and leave the rest. Raises BadRequest."""

    def merged(value: Settings) -> Settings:
        for path, wanted in changes.items():
            *above, last = _steps(path)
            place = value
            for step in above:
                inner = place.get(step)
                if not isinstance(inner, dict):
                    inner = place[step] = {}
                place = inner
            place[last] = wanted
        return value

    return _change(user, kind, merged)


def remove_settings(user: User, kind: SettingsKind, paths: Iterable[str]) -> None:
    """Forget what the paths name; what is not there counts for nothing. Raises BadRequest."""
    wanted = [_steps(path) for path in paths]

    def left(value: Settings) -> Settings:
        for *above, last in wanted:
            place: Any = value
            for step in above:
                place = place.get(step) if isinstance(place, dict) else None
            if isinstance(place, dict):
                place.pop(last, None)
        return value

    _change(user, kind, left)


@transaction.atomic
def _change(user: User, kind: SettingsKind, how: Callable[[Settings], Settings]) -> Settings:
    # The row is locked, so that two windows of one user do not undo each other's changes.
    row, _ = UserSettings.objects.select_for_update().get_or_create(user=user, kind=kind)
    value = row.value = how(row.value)
    _require_names(value)
    if len(json_bytes(value)) > LARGEST:
        raise BadRequest(f"The settings are too large; expected at most {LARGEST} bytes of JSON.")
    row.version += 1
    row.save(update_fields=["value", "version"])
    return value


def _steps(path: str) -> list[str]:
    steps = path.split(".")
    if not all(steps) or len(steps) > DEEPEST:
        raise BadRequest(f"'{path[:40]}': expected names with dots between them, at most {DEEPEST}.")
    return steps


def _require_names(value: Any, depth: int = 0) -> None:
    if depth > DEEPEST:
        raise BadRequest(f"The settings are nested too deeply; expected at most {DEEPEST} levels.")
    if isinstance(value, dict):
        for name, inner in value.items():
            if "." in name or "," in name:
                raise BadRequest(f"'{name[:40]}': a name must hold neither dots nor commas.")
            _require_names(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _require_names(inner, depth + 1)
