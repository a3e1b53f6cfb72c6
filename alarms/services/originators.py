"""What alarms are about, by name: found through the entity door, whatever it is."""

import uuid
from collections.abc import Iterable, Mapping

from alarms.models import Alarm
from thingsboard.kernel.entities import registered
from thingsboard.kernel.ids import EntityType

DELETED = "Deleted"  # what ThingsBoard calls an originator that is gone

Names = Mapping[tuple[str, uuid.UUID], tuple[str, str]]


def names_of(rows: Iterable[Alarm]) -> Names:
    """Name and label of the originators of these alarms, by kind and id; a query for each kind. Who is gone is left out."""
    wanted: dict[str, set[uuid.UUID]] = {}
    for row in rows:
        wanted.setdefault(row.originator_type, set()).add(row.originator_id)
    doors = registered()
    return {
        (kind, found.pk): (str(found), getattr(found, "label", "") or str(found))
        for kind, keys in wanted.items()
        if (door := doors.get(EntityType(kind))) is not None
        for found in door.model._default_manager.filter(pk__in=keys)
    }


def name_and_label(row: Alarm, names: Names) -> tuple[str, str]:
    """How its originator is called."""
    return names.get((row.originator_type, row.originator_id), (DELETED, DELETED))
