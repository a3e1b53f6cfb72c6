"""What becomes of alarms when something that they are about, or whoever looks after them, is deleted."""

import uuid
from collections.abc import Collection
from itertools import islice

from django.db import connection

from alarms.models import Alarm
from alarms.services import bulk, events, state
from thingsboard.kernel.entities import hold
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.time import now_ms

AT_ONCE = 1000


def take_leave(kind: EntityType, ids: Collection[uuid.UUID], tenant_id: uuid.UUID | None) -> None:
    """A tenant's alarms go with it, an originator's with the originator; those of a deleted user are nobody's to look after.

    In the transaction that deletes (`thingsboard.kernel.entities.before_delete`). Foreign keys take a deleted customer away.
    """
    if kind is EntityType.TENANT:
        Alarm.objects.filter(tenant_id__in=ids).delete()
        return
    if kind is EntityType.ALARM:
        return
    keys = iter(ids)
    while some := list(islice(keys, AT_ONCE)):
        Alarm.objects.filter(originator_type=kind.value, originator_id__in=some).delete()
        if kind is EntityType.USER:
            _unassign(some)


def _unassign(users: Collection[uuid.UUID]) -> None:
    """In batches, each announced to the rule engine, as ThingsBoard does."""
    now = now_ms()
    while some := list(Alarm.objects.filter(assignee_id__in=users)[:AT_ONCE]):
        # Before the alarms, as whoever deletes an originator does: so nobody waits in a circle.
        owners = {(each.originator, each.tenant_id) for each in some}
        held = {originator: hold(originator, tenant) for originator, tenant in sorted(owners, key=str)}
        with connection.wrap_database_errors:
            found = bulk.load(connection.connection, [each.pk for each in some])
            changed = [state.assigned(current, None, now) for current in found.values() if current.assignee_id in users]
            bulk.write(connection.connection, changed, set())
        for each in changed:
            events.announce(events.UNASSIGNED, each, held[each.originator])
