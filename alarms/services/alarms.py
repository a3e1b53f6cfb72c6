"""What people do with alarms. Each is one transaction: the alarm, the audit log, and the message for the rule engine.

What becomes of an alarm, state.py says; that somebody may do it at all, whoever calls has checked.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection, models, transaction

from alarms.models import Alarm
from alarms.services import bulk, events, state
from alarms.services.state import AlarmRequest, AlarmState, Raised
from tenants.models import ActionType, User
from tenants.services import audit
from thingsboard.kernel.entities import deleting, hold, not_found
from thingsboard.kernel.errors import BadRequest, NotAvailable, VersionConflict
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.time import now_ms

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a saved alarm is to be besides (ThingsBoard's POST /api/alarm); times in ms, 0: now. It is not taken back."""

    acknowledged: bool = False
    ack_ts: int = 0
    cleared: bool = False
    clear_ts: int = 0
    assignee: User | None = None
    assign_ts: int = 0


@transaction.atomic
def create_or_update_alarm(request: AlarmRequest, *, wishes: Wishes | None = None) -> AlarmState:
    """Raise an alarm, or update the active one of that originator and type.

    Raises BadRequest, and NotFound where the originator is not that tenant's.
    """
    target, originator = _unsaved(request), hold(request.originator, request.tenant_id)
    with audit.deed(ActionType.ADDED, EntityType.ALARM, target) as entry:
        if originator is None:
            raise not_found(request.originator.type, request.originator.id)
        before, made = _raise(request)
        _note(entry, before, made)
    _announce_raised(made, originator)
    return _fulfil(made.state, wishes)


@transaction.atomic
def update_alarm(
    alarm: Alarm, request: AlarmRequest, *, wishes: Wishes | None = None, version: int | None = None
) -> AlarmState:
    """Replace what `request` says of an alarm; its originator, type and owners stay. Raises BadRequest, VersionConflict."""
    originator = hold(alarm.originator, alarm.tenant_id)
    with audit.deed(ActionType.UPDATED, EntityType.ALARM, alarm) as entry:
        current = _locked(alarm.pk)
        if version is not None and version != current.version:
            raise VersionConflict("It was changed by someone else: read it again and repeat the change.")
        made = state.revised(current, request._replace(type=current.type, originator=current.originator), now_ms())
        _write(made.state)
        _note(entry, current, made)
    _announce_raised(made, originator)
    return _fulfil(made.state, wishes)


@transaction.atomic
def acknowledge_alarm(alarm: Alarm, *, ts: int = 0) -> AlarmState:
    """Somebody has seen it, at `ts` (ms; 0: now). Raises BadRequest where somebody had before, NotFound."""
    return _change(
        alarm,
        ActionType.ALARM_ACK,
        lambda current: state.acknowledged(current, ts or now_ms()),
        "Alarm was already acknowledged!",
    )


@transaction.atomic
def clear_alarm(alarm: Alarm, *, ts: int = 0, details: Any = None) -> AlarmState:
    """It is over, since `ts` (ms; 0: now). Raises BadRequest where it was before, NotFound."""
    return _change(
        alarm,
        ActionType.ALARM_CLEAR,
        lambda current: state.cleared(current, details, ts or now_ms()),
        "Alarm was already cleared!",
        isClearedAlarm=True,
    )


@transaction.atomic
def assign_alarm(alarm: Alarm, assignee: User, *, ts: int = 0) -> AlarmState:
    """The user looks after it. That whoever asks sees the user, the caller has checked.

    Raises BadRequest where it does already or is of another tenant, NotFound.
    """
    if assignee.tenant_id != alarm.tenant_id:
        raise BadRequest("The assignee is a user of another tenant.")
    return _change(
        alarm,
        ActionType.ALARM_ASSIGNED,
        lambda current: state.assigned(current, assignee.pk, ts or now_ms()),
        "Alarm was already assigned to this user!",
    )


@transaction.atomic
def unassign_alarm(alarm: Alarm, *, ts: int = 0) -> AlarmState:
    """Nobody looks after it. Raises BadRequest where nobody did, NotFound."""
    return _change(
        alarm,
        ActionType.ALARM_UNASSIGNED,
        lambda current: state.assigned(current, None, ts or now_ms()),
        "Alarm was already unassigned!",
    )


@transaction.atomic
def delete_alarm(alarm: Alarm) -> None:
    """It never was. Raises NotFound where somebody was faster."""
    originator = hold(alarm.originator, alarm.tenant_id)
    with audit.deed(ActionType.ALARM_DELETE, EntityType.ALARM, alarm) as entry:
        current = _locked(alarm.pk)
        entry.before(row_of(current))
        deleting(EntityType.ALARM, [current.id], current.tenant_id)
        Alarm.objects.filter(pk=current.id).delete()
    events.announce(events.DELETE, current, originator)


def row_of(current: AlarmState) -> Alarm:
    """The alarm as a model's instance that was not read from the database."""
    return Alarm(
        **{name: getattr(current, name) for name in _SAME},
        originator_type=current.originator.type.value,
        originator_id=current.originator.id,
        propagate_relation_types=list(current.relation_types),
    )


_SAME = (
    "id", "created_time", "version", "tenant_id", "customer_id", "type", "severity", "acknowledged", "cleared", "start_ts",
    "end_ts", "ack_ts", "clear_ts", "assign_ts", "assignee_id", "details", "propagate", "propagate_to_owner",
    "propagate_to_tenant",
)  # fmt: skip


def _change(
    alarm: Alarm,
    action: ActionType,
    rule: Callable[[AlarmState], AlarmState],
    refusal: str,
    **said: bool,
) -> AlarmState:
    """Do to the locked alarm what `rule` says; BadRequest(refusal) where that changes nothing. The message is called as the
    deed is.
    """
    # Before the alarm, as whoever deletes the originator does: so nobody waits in a circle.
    originator = hold(alarm.originator, alarm.tenant_id)
    with audit.deed(action, EntityType.ALARM, alarm) as entry:
        current = _locked(alarm.pk)
        changed = rule(current)
        if changed is current:
            raise BadRequest(refusal)
        entry.before(row_of(current))
        _write(changed)
        entry.after(row_of(changed))
    events.announce(action.value, changed, originator, **said)
    return changed


def _raise(request: AlarmRequest) -> tuple[AlarmState | None, Raised]:
    """The active alarm as it was, and what became of it. Whoever raises it at the same time is waited for, and updated."""
    key = (request.originator.id, request.type)
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic(), connection.wrap_database_errors:
                current = bulk.load_active(connection.connection, [key]).get(key)
                now = now_ms()
                made = state.raised(None, request, now) if current is None else state.revised(current, request, now)
                bulk.write(connection.connection, [made.state], {made.state.id} if made.created else set())
            return current, made
        except bulk.AlarmRace:
            continue
    raise NotAvailable("The alarm is being raised and cleared by somebody else; try again.")


def _fulfil(current: AlarmState, wishes: Wishes | None) -> AlarmState:
    """What is to be said of a saved alarm besides, each as if it were asked for by itself."""
    if wishes is None:
        return current
    alarm = row_of(current)
    if wishes.acknowledged and not current.acknowledged:
        current = acknowledge_alarm(alarm, ts=wishes.ack_ts)
    if wishes.cleared and not current.cleared:
        current = clear_alarm(alarm, ts=wishes.clear_ts)
    if wishes.assignee is not None and wishes.assignee.pk != current.assignee_id:
        return assign_alarm(alarm, wishes.assignee, ts=wishes.assign_ts)
    if wishes.assignee is None and current.assignee_id is not None:
        return unassign_alarm(alarm, ts=wishes.assign_ts)
    return current


def _announce_raised(made: Raised, originator: models.Model | None) -> None:
    if made.created or made.updated:
        said = {
            "isNewAlarm": made.created,
            "isExistingAlarm": made.updated,
            "isSeverityUpdated": made.severity_changed,
        }
        events.announce(events.CREATED_OR_UPDATED, made.state, originator, **said)


def _note(entry: audit.Entry, before: AlarmState | None, made: Raised) -> None:
    entry.row.action = ActionType.ADDED if made.created else ActionType.UPDATED
    entry.row.entity_id, entry.row.customer_id = made.state.id, made.state.customer_id
    if before is not None:
        entry.before(row_of(before))
    entry.after(row_of(made.state))


def _locked(key: uuid.UUID) -> AlarmState:
    with connection.wrap_database_errors:
        found = bulk.load(connection.connection, [key]).get(key)
    if found is None:
        raise not_found(EntityType.ALARM, key)
    return found


def _write(changed: AlarmState) -> None:
    with connection.wrap_database_errors:
        bulk.write(connection.connection, [changed], set())


def _unsaved(request: AlarmRequest) -> Alarm:
    """For the audit log, before there is an alarm."""
    return Alarm(tenant_id=request.tenant_id, customer_id=request.customer_id, type=request.type)
