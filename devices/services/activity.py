"""Whether devices are active, kept as server attributes (compat/device_transports.md 10, docs/reference/activity.md).

Transports call `record` for many devices at a time, the clock calls `review`, and both decide in `_settle`: it holds the
rows of the devices and of their lastActivityTime, so two processes never decide about a device at once. The usual
report, of a device that is active already, moves nothing but lastActivityTime and takes no such lock: `_settle` would
wait for it or it for `_settle`, and it looks at `active` afterwards.
"""

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection as django_connection
from django.db import transaction

from devices.services import activity_events
from devices.services.activity_rules import (
    ACTIVE,
    ATTRIBUTES,
    INACTIVITY_ALARM,
    INACTIVITY_TIMEOUT,
    LAST_ACTIVITY,
    Change,
    Report,
    State,
    judge,
)
from telemetry import bulk
from telemetry.fanout import News, fanout
from telemetry.points import Scope, Value
from thingsboard.kernel import outbox
from thingsboard.kernel.time import now_ms

__all__ = ["Change", "Report", "begin", "reconsider", "record", "report", "review", "times"]

AT_ONCE = 1000  # devices in one transaction
PAGE = 5000  # devices in one look of `review`
NOBODY = uuid.UUID(int=0)

# In order of id, as all do who want several.
_LOCK_DEVICES = (
    "SELECT d.id, d.created_time, d.tenant_id, d.customer_id, d.name, d.label, p.name, p.default_queue_name "
    "FROM devices_device d JOIN devices_deviceprofile p ON p.id = d.profile_id "
    "WHERE d.id = ANY(%s) ORDER BY d.id FOR NO KEY UPDATE OF d"
)
# The next devices in order of id: the last one, and those about which `judge` has something to say. Differences instead
# of sums, because a sum of what somebody wrote into an attribute may not fit into 64 bits.
_REVIEW = """
    WITH page AS MATERIALIZED (
        SELECT id, created_time FROM devices_device WHERE id > %(after)s ORDER BY id LIMIT %(page)s
    ), known AS (
        SELECT page.id, page.created_time, said.active, coalesce(greatest(said.activity, 0), 0) AS activity,
               coalesce(greatest(said.alarm, 0), 0) AS alarm,
               %(now)s - CASE WHEN said.timeout > 0 THEN said.timeout ELSE %(timeout)s END AS deadline
        FROM page CROSS JOIN LATERAL (
            SELECT bool_or(bool_v) FILTER (WHERE key_id = %(active)s) AS active,
                   max(long_v) FILTER (WHERE key_id = %(activity)s) AS activity,
                   max(long_v) FILTER (WHERE key_id = %(alarm)s) AS alarm,
                   max(long_v) FILTER (WHERE key_id = %(limit)s) AS timeout
            FROM attribute_kv
            WHERE entity_id = page.id AND scope = %(scope)s
              AND key_id = ANY(ARRAY[%(active)s, %(activity)s, %(alarm)s, %(limit)s])
        ) said
    )
    SELECT (SELECT id FROM page ORDER BY id DESC LIMIT 1), ARRAY(
        SELECT id FROM known
        WHERE CASE WHEN activity > deadline THEN active IS NULL OR NOT (active OR (0 < activity AND activity < alarm))
                   ELSE active IS NULL OR (created_time <= deadline AND (active OR alarm <= activity)) END
        ORDER BY id)
"""


After = Callable[[Callable[[], None]], object]


def _at_once(deed: Callable[[], None]) -> None:
    deed()


def record(connection: bulk.Connection, reports: Iterable[Report]) -> list[Change]:
    """Write what a transport reports, each device once; returns what happened, all of it committed.

    On an autocommit connection outside Django's. Reports may come late, in any order and more than once: the same ones
    again change nothing. A device that does not exist is left out.
    """
    changes: list[Change] = []
    ordered = sorted(reports, key=lambda report: report.device_id.int)
    for start in range(0, len(ordered), AT_ONCE):
        chunk = ordered[start : start + AT_ONCE]
        heard = {each.device_id: each.last_activity for each in chunk if not (each.connected or each.disconnected)}
        usual: set[uuid.UUID] = set()
        if heard:
            now = now_ms()
            moved = bulk.advance(connection, Scope.SERVER, LAST_ACTIVITY, now, heard)
            fanout.tell([News(each.bytes, Scope.SERVER, now, {LAST_ACTIVITY: heard[each]}) for each in moved])
            # A statement of its own: it must see what was committed while the one before waited for a lock.
            usual = bulk.true_for(connection, Scope.SERVER, ACTIVE, moved)
        changes += _settle(connection, {each.device_id: each for each in chunk if each.device_id not in usual})
    return changes


def review() -> list[Change]:
    """Find the devices whose state no longer agrees with the clock, and put it right; returns what happened."""
    changes: list[Change] = []
    after: uuid.UUID | None = NOBODY
    while after is not None:
        after, found = _page(after)
        for start in range(0, len(found), AT_ONCE):
            changes += _settle_here(dict.fromkeys(found[start : start + AT_ONCE]))
    return changes


def reconsider(device_id: uuid.UUID) -> list[Change]:
    """Decide anew about one device, whose inactivityTimeout was changed."""
    return _settle_here({device_id: None}, anew=True)


def report(said: Report) -> list[Change]:
    """Write what a rule chain says of a device, in Django's open transaction, which has it told after its commit."""
    return _settle_here({said.device_id: said})


def begin(device_id: uuid.UUID) -> None:
    """A device was made, in this transaction: it is not active."""
    bulk.write(_django(), Scope.SERVER, now_ms(), {device_id: {ACTIVE: False}})


def times(device_id: uuid.UUID) -> dict[str, Value]:
    """The attributes of its activity that a device has, for people who look at it."""
    return bulk.read(_django(), Scope.SERVER, ATTRIBUTES, [device_id]).get(device_id, {})


def _settle(
    connection: bulk.Connection,
    reports: Mapping[uuid.UUID, Report | None],
    after: After = _at_once,
    *,
    anew: bool = False,
) -> list[Change]:
    """Decide about devices in one transaction, each known as it is now; `after` calls what is to be done once it is over."""
    if not reports:
        return []
    ids = list(reports)
    changes: list[Change] = []
    values: dict[uuid.UUID, Mapping[str, Value]] = {}
    bulk.key_ids(ATTRIBUTES)
    with connection.transaction():
        devices = psycopg.Cursor(connection).execute(_LOCK_DEVICES, [ids]).fetchall()
        bulk.lock(connection, Scope.SERVER, LAST_ACTIVITY, ids)
        stored = bulk.read(connection, Scope.SERVER, ATTRIBUTES, ids)
        now = now_ms()
        events = activity_events.Events()
        for device_id, created, *rest in devices:
            known = stored.get(device_id, {})
            verdict = judge(State.of(created, known, _default_timeout()), reports[device_id], now, anew=anew)
            values[device_id] = verdict.values
            device = activity_events.Who(device_id, *rest)
            for kind, ts in verdict.events:
                changes.append(Change(device.tenant_id, device_id, kind, ts))
                events.add(device, kind, ts, {**known, **verdict.values}, _default_timeout())
        bulk.write(connection, Scope.SERVER, now, values)
        lanes = events.append(connection)
    news = [News(each.bytes, Scope.SERVER, now_ms(), said) for each, said in values.items() if said]

    def tell() -> None:
        fanout.tell(news)
        outbox.kick(lanes)

    after(tell)
    return changes


def _settle_here(reports: Mapping[uuid.UUID, Report | None], *, anew: bool = False) -> list[Change]:
    """As `_settle`, in a transaction of Django's."""
    with transaction.atomic():
        return _settle(_django(), reports, transaction.on_commit, anew=anew)


def _page(after: uuid.UUID) -> tuple[uuid.UUID | None, list[uuid.UUID]]:
    """The last id of the next page, None behind the end, and the devices on it about which there is something to say."""
    ids = bulk.key_ids(ATTRIBUTES)
    parameters: dict[str, Any] = {
        "after": after,
        "page": PAGE,
        "now": now_ms(),
        "timeout": _default_timeout(),
        "scope": int(Scope.SERVER),
        "active": ids[ACTIVE],
        "activity": ids[LAST_ACTIVITY],
        "alarm": ids[INACTIVITY_ALARM],
        "limit": ids[INACTIVITY_TIMEOUT],
    }
    with django_connection.cursor() as cursor:
        cursor.execute(_REVIEW, parameters)
        last, found = cursor.fetchone()
    return last, found


def _default_timeout() -> int:
    """In ms."""
    return int(settings.TB_DEVICE_INACTIVITY_TIMEOUT * 1000)


def _django() -> bulk.Connection:
    """Django's connection, in the state in which Django has it."""
    django_connection.ensure_connection()
    raw: bulk.Connection = django_connection.connection
    return raw
