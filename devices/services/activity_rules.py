"""When is a device active? The rules (compat/device_transports.md 10), without a database."""

import enum
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from telemetry.points import Value

ACTIVE = "active"
LAST_CONNECT = "lastConnectTime"
LAST_DISCONNECT = "lastDisconnectTime"
LAST_ACTIVITY = "lastActivityTime"
INACTIVITY_ALARM = "inactivityAlarmTime"
INACTIVITY_TIMEOUT = "inactivityTimeout"
ATTRIBUTES = (ACTIVE, LAST_CONNECT, LAST_DISCONNECT, LAST_ACTIVITY, INACTIVITY_ALARM, INACTIVITY_TIMEOUT)


class Report(NamedTuple):
    """What a transport knows of a device since its last report, or a rule chain says of it; times are ms since 1970, 0:
    nothing to say. `inactive` is said by chains alone: it fell silent then, whatever its timeout.
    """

    device_id: uuid.UUID
    last_activity: int = 0
    connected: int = 0
    disconnected: int = 0
    inactive: int = 0

    def merged(self, other: Self) -> "Report":
        """Both in one: the latest of each."""
        return Report(
            self.device_id,
            max(self.last_activity, other.last_activity),
            max(self.connected, other.connected),
            max(self.disconnected, other.disconnected),
            max(self.inactive, other.inactive),
        )


class ChangeKind(enum.StrEnum):
    """ThingsBoard's names of what happens to a device."""

    CONNECT = "CONNECT_EVENT"
    DISCONNECT = "DISCONNECT_EVENT"
    ACTIVITY = "ACTIVITY_EVENT"
    INACTIVITY = "INACTIVITY_EVENT"


class Change(NamedTuple):
    """Something happened to a device at `ts` (ms)."""

    tenant_id: uuid.UUID
    device_id: uuid.UUID
    kind: ChangeKind
    ts: int


@dataclass(frozen=True, slots=True)
class State:
    """What is stored of a device; times in ms, 0: never. `active` is None before it was ever written."""

    created: int
    timeout: int
    active: bool | None = None
    connected: int = 0
    disconnected: int = 0
    last_activity: int = 0
    alarm: int = 0

    @classmethod
    def of(cls, created: int, values: Mapping[str, Value], default_timeout: int) -> Self:
        """From the attributes; whoever wrote a value of another kind wrote none, a timeout below 1 ms is the default."""
        active = values.get(ACTIVE)
        return cls(
            created,
            _whole(values, INACTIVITY_TIMEOUT) or default_timeout,
            active if isinstance(active, bool) else None,
            _whole(values, LAST_CONNECT),
            _whole(values, LAST_DISCONNECT),
            _whole(values, LAST_ACTIVITY),
            _whole(values, INACTIVITY_ALARM),
        )


@dataclass(slots=True)
class Verdict:
    """The attributes to write, and what happened."""

    values: dict[str, Value] = field(default_factory=dict)
    events: list[tuple[ChangeKind, int]] = field(default_factory=list)


def judge(state: State, report: Report | None, now: int, *, anew: bool = False) -> Verdict:
    """What becomes of a device's state at `now` (ms), with what a transport reports.

    A time never goes back, because several processes report. A device that was called inactive since it was last heard
    becomes active when it is heard again, or `anew`: when its timeout was changed. `devices.services.activity` has the same
    rule in SQL, to find the devices for which it has anything to say.
    """
    verdict = Verdict()
    last_activity = state.last_activity
    heard = anew or not 0 < last_activity < state.alarm or state.active is None
    if report is not None:
        heard = heard or report.last_activity > last_activity or report.connected > state.connected
        if report.last_activity > last_activity:
            last_activity = verdict.values[LAST_ACTIVITY] = report.last_activity
        if report.connected > state.connected:
            verdict.values[LAST_CONNECT] = report.connected
            verdict.events.append((ChangeKind.CONNECT, report.connected))
        if report.disconnected > state.disconnected:
            verdict.values[LAST_DISCONNECT] = report.disconnected
            verdict.events.append((ChangeKind.DISCONNECT, report.disconnected))
    deadline = now - state.timeout
    if report is not None and report.inactive > max(state.alarm, last_activity):
        verdict.values |= {ACTIVE: False, INACTIVITY_ALARM: report.inactive}
        verdict.events.append((ChangeKind.INACTIVITY, report.inactive))
    elif last_activity > deadline:
        if not state.active and heard:
            verdict.values[ACTIVE] = True
            verdict.events.append((ChangeKind.ACTIVITY, last_activity))
            if state.alarm >= last_activity:  # it came too early, and must not stand in the way of the next one
                verdict.values[INACTIVITY_ALARM] = 0
    elif state.created <= deadline and (state.active or state.alarm <= last_activity):
        verdict.values |= {ACTIVE: False, INACTIVITY_ALARM: now}
        verdict.events.append((ChangeKind.INACTIVITY, now))
    elif state.active is None:
        verdict.values[ACTIVE] = False
    verdict.events.sort(key=lambda event: event[1])
    return verdict


def _whole(values: Mapping[str, Value], name: str) -> int:
    value = values.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
