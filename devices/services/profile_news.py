"""Who wants to know of changes to profiles: what a profile says of rule chains and queues is a higher floor's business."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Model

# Called with the profile and the names of the columns that have other values now.
Watcher = Callable[[Any, frozenset[str]], object]
_watchers: list[Watcher] = []


def watch_profiles(changed: Watcher) -> None:
    """Have `changed(profile, columns)` called in the transaction of every write of a device or asset profile.

    Of a new profile those columns are named that are not empty. What `changed` raises undoes the write. Apps say so in
    `ready()`.
    """
    if changed not in _watchers:
        _watchers.append(changed)


def columns_of(profile: Model) -> dict[str, Any]:
    """A profile's columns as they are now, for `tell`."""
    return {column.attname: getattr(profile, column.attname) for column in profile._meta.concrete_fields}


def tell(profile: Model, before: Mapping[str, Any] | None = None) -> None:
    """Said by the service that has just written the profile; `before` is what `columns_of` said until then."""
    old, now = before or {}, columns_of(profile)
    columns = frozenset(name for name, value in now.items() if (old.get(name) or None) != (value or None))
    if columns:
        for changed in _watchers:
            changed(profile, columns)
