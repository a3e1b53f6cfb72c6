"""GPS geofencing events."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from rules.node import SUCCESS, Category, Context, Emit, Msg, Node, Outcome
from rules.node.base import ATTRIBUTES
from rules.node.geofencing import Geofence, GeofencingConfig
from rules.node.service import SERVICE_ID
from rules.node.time_units import TimeUnit
from telemetry.points import Scope
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.ids import EntityId

ENTERED, LEFT, INSIDE, OUTSIDE = "Entered", "Left", "Inside", "Outside"

# Of how many nodes an originator remembers the state: those where it changed last.
MOST_NODES: Final = 32

_NODES: Final = "nodes"


class GpsGeofencingEventsConfig(GeofencingConfig, frozen=True):
    """A perimeter, and after how long somebody stays inside or outside of it."""

    NEW = {**GeofencingConfig.NEW, "reportPresenceStatusOnEachMessage": True}

    min_inside_duration: int = 1
    min_outside_duration: int = 1
    min_inside_duration_time_unit: TimeUnit = TimeUnit.MINUTES
    min_outside_duration_time_unit: TimeUnit = TimeUnit.MINUTES
    report_presence_status_on_each_message: bool = False


class _State(NamedTuple):
    """Where an originator is, since when (ms), and whether it was said that it stays there."""

    inside: bool
    since: int
    stayed: bool

    def to_json(self) -> dict[str, Any]:
        return {"inside": self.inside, "stateSwitchTime": self.since, "stayed": self.stayed}


class GpsGeofencingEvents(Node):
    """Tells when the originator of a message enters or leaves a perimeter, and whether it stays inside or outside.

    Entered, Left: it is on the other side now, or this is the first that is known of it. Inside, Outside: it is where it was;
    for each message, or once as soon as it was there for longer than the duration. Success: nothing of that. Coordinates and
    perimeters are those of the "gps geofencing filter".

    What is known of an originator is in its server attribute `thingsboard`, for each node that asks. The time that counts is
    the platform's.
    """

    TYPE = "org.thingsboard.rule.engine.geo.TbGpsGeofencingActionNode"
    NAME = "gps geofencing events"
    CATEGORY = Category.ACTION
    RELATIONS = (SUCCESS, ENTERED, LEFT, INSIDE, OUTSIDE)
    VERSION = 1
    CONFIG = GpsGeofencingEventsConfig
    CONFIG_DIRECTIVE = "tbActionNodeGpsGeofencingConfig"
    READS = frozenset({ATTRIBUTES})
    WRITES = frozenset({ATTRIBUTES})

    def __init__(self, config: GpsGeofencingEventsConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._geofence = Geofence(config)
        self._stays = {
            True: config.min_inside_duration_time_unit.ms(config.min_inside_duration),
            False: config.min_outside_duration_time_unit.ms(config.min_outside_duration),
        }

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All states are read at once; each message sees that of the one before."""
        found = ctx.attributes(Scope.SERVER, [SERVICE_ID], {msg.originator for msg in messages})
        states = {entity: _states(attributes[SERVICE_ID].value) for entity, attributes in found.items() if attributes}
        return [self._told(ctx, msg, states) for msg in messages]

    def _told(self, ctx: Context, msg: Msg, states: dict[EntityId, dict[str, Any]]) -> Emit:
        try:
            inside = self._geofence.inside(msg)
        except ValueError as error:
            return Emit.failure(msg, str(error))
        known = states.setdefault(msg.originator, {})
        node = str(uuid.UUID(bytes=ctx.here))
        state, now = _state(known.get(node)), ctx.now()
        if state is None or state.inside != inside:
            _remember(ctx, msg.originator, known, node, _State(inside, now, stayed=False))
            return Emit(ENTERED if inside else LEFT, msg)
        if self.config.report_presence_status_on_each_message:
            return Emit(INSIDE if inside else OUTSIDE, msg)
        if not state.stayed and now - state.since > self._stays[inside]:
            _remember(ctx, msg.originator, known, node, state._replace(stayed=True))
            return Emit(INSIDE if inside else OUTSIDE, msg)
        return Emit(SUCCESS, msg)

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 knew presence once only."""
        return raw if version > 0 else {"reportPresenceStatusOnEachMessage": False, **raw}


def _remember(ctx: Context, originator: EntityId, known: dict[str, Any], node: str, state: _State) -> None:
    """As ThingsBoard writes it, which keeps the states of several nodes apart in memory alone: here `nodes` has them."""
    known.pop(node, None)
    known[node] = state.to_json()  # the last one is the newest
    while len(known) > MOST_NODES:
        del known[next(iter(known))]
    text = json_bytes({**state.to_json(), _NODES: known}).decode()
    ctx.save_attributes(originator, Scope.SERVER, {SERVICE_ID: text}, live=False, fields=False)


def _states(value: Any) -> dict[str, Any]:
    """Those of an attribute by node; an attribute that somebody else wrote says nothing."""
    try:
        parsed = orjson.loads(str(value))
    except ValueError:
        return {}
    nodes = parsed.get(_NODES) if isinstance(parsed, dict) else None
    return nodes if isinstance(nodes, dict) else {}


def _state(found: Any) -> _State | None:
    if not isinstance(found, Mapping):
        return None
    inside, since, stayed = (found.get(name) for name in ("inside", "stateSwitchTime", "stayed"))
    return _State(inside, since, bool(stayed)) if isinstance(inside, bool) and isinstance(since, int) else None
