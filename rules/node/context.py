"""The door of a node: everything it may ask or cause. What it causes happens with the batch's COMMIT or not at all, and is
seen by what it asks from then on (architecture.md 5).

One context serves one batch of one tenant. The questions take many at once: ask once for all messages of the list.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from rules.node.deeds import Deeds
from rules.node.later import Later
from rules.node.lookups import Lookups
from rules.node.message import Body, Msg
from rules.node.scripts import Answer, Script
from telemetry.json import Rules
from telemetry.points import Attribute, Point, Reading, Scope, Value
from thingsboard.kernel.ids import EntityId

# What the metadata of an announced message says: which node it is of. Another one is not announced because of it.
RULE_NODE_ID: Final = "ruleNodeId"


class EntityFields(NamedTuple):
    """What is known of an entity: its name, what kind it is of (of devices and assets: the name of its profile), and all fields
    by ThingsBoard's names, as text: "null" where there is nothing, JSON text for what is structured, an id alone for an entity.
    """

    name: str
    type: str
    label: str
    customer_id: uuid.UUID | None
    profile_id: uuid.UUID | None
    fields: Mapping[str, str]


class AlarmWish(NamedTuple):
    """An alarm that a node wants to exist. Times in ms; `details` is a JSON value, None: as they are."""

    originator: EntityId
    customer_id: uuid.UUID | None
    type: str
    severity: str
    details: Any
    start_ts: int
    end_ts: int
    propagate: bool = False
    propagate_to_owner: bool = False
    propagate_to_tenant: bool = False
    relation_types: tuple[str, ...] = ()


class ActiveAlarm(NamedTuple):
    """What counts of an active alarm. Times in ms; `details` is a JSON value."""

    id: uuid.UUID
    start_ts: int
    details: Any


class AlarmResult(NamedTuple):
    """What became of an alarm: its JSON, made when somebody asks for it, and what changed."""

    body: Body
    created: bool = False
    severity_changed: bool = False
    cleared: bool = False


class Alarms(Protocol):
    """The active alarms of originators, by type."""

    def load(self, wanted: Collection[tuple[EntityId, str]]) -> None:
        """Lock and read all of them at once; to be called before the others, with everything that they will be asked."""
        ...

    def active(self, originator: EntityId, type: str) -> ActiveAlarm | None:
        """The active alarm."""
        ...

    def by_id(self, ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, dict[str, Any]]:
        """The JSON of alarms of this tenant, active or not; who does not exist is missing. May be asked before `load`."""
        ...

    def create(self, wish: AlarmWish) -> AlarmResult:
        """Create it, or update the active one. Raises ValueError where there is none and its originator does not exist."""
        ...

    def clear(self, originator: EntityId, type: str, details: Any, ts: int) -> AlarmResult | None:
        """Clear the active one at `ts` (ms); None where there is none. `details` None: as they are."""
        ...


class Context(Protocol):
    """See the module."""

    tenant_id: uuid.UUID
    here: bytes  # the node that is running

    def now(self) -> int:
        """The present in ms."""
        ...

    # Telemetry and attributes.

    @property
    def json_rules(self) -> Rules:
        """The settings of the platform's one decoder of telemetry and attributes: those of the transports."""
        ...

    def save_points(
        self,
        entity: EntityId,
        readings: Sequence[Reading],
        ttl_s: int = 0,
        *,
        history: bool = True,
        latest: bool = True,
        live: bool = True,
        fields: bool = True,
    ) -> None:
        """Write readings to history and latest, tell live subscriptions and calculated fields, each where wanted. `ttl_s` 0: as
        long as the tenant's profile says. Raises ValueError where a key cannot be one or none are left.
        """
        ...

    def first_in_interval(self, purpose: str, asked: Sequence[tuple[EntityId, int]], interval_s: int) -> Sequence[bool]:
        """Of each (entity, ms), in their order: whether the node that is running has not yet asked about that entity, for that
        purpose, with a time in the same interval. Intervals of `interval_s` seconds are counted from 1970.

        What was asked is remembered with the batch's COMMIT (a batch that runs again gets the same answers), for a bounded
        number of intervals; a restart or a new version of the chain may forget it, as in ThingsBoard.
        """
        ...

    def save_attributes(
        self,
        entity: EntityId,
        scope: Scope,
        values: dict[str, Value],
        *,
        only_changes: bool = False,
        notify_device: bool = False,
        announce: Mapping[str, str] | None = None,
        store: bool = True,
        live: bool = True,
        fields: bool = True,
        ts: int | None = None,
    ) -> None:
        """Write attributes as of `ts` (ms; now), tell live subscriptions and calculated fields, each where wanted;
        `only_changes`: those alone whose value is another one than before. `announce` has an ATTRIBUTES_UPDATED message with
        this metadata, and what was saved as its body, go through the rules, unless nothing was. Raises ValueError as
        `save_points`.
        """
        ...

    def attributes(
        self, scope: Scope, keys: Collection[str], entities: Collection[EntityId]
    ) -> Mapping[EntityId, Mapping[str, Attribute]]:
        """These attributes of all the entities; what is not there is missing."""
        ...

    def latest(self, keys: Collection[str], entities: Collection[EntityId]) -> Mapping[EntityId, Mapping[str, Point]]:
        """The newest points of all the entities; what is not there is missing."""
        ...

    # Entities.

    def describe(self, entities: Collection[EntityId]) -> Mapping[EntityId, EntityFields]:
        """What is known of entities of this tenant; who does not exist is missing."""
        ...

    def related(
        self,
        direction: str,
        relation_type: str,
        entities: Collection[EntityId],
        other: EntityId | None = None,
    ) -> Collection[EntityId]:
        """Those of the entities from which (FROM) or to which (TO) a COMMON relation of the type leads, to or from `other` if
        given.
        """
        ...

    @property
    def look(self) -> Lookups:
        """What else can be looked up: relations, names, credentials, history, and what the node remembered."""
        ...

    # Alarms, and everything else.

    @property
    def deeds(self) -> Deeds:
        """What changes entities, relations and the like; see rules.node.deeds."""
        ...

    @property
    def alarms(self) -> Alarms:
        """The alarms of this batch's originators."""
        ...

    @property
    def later(self) -> Later:
        """What waits for a time: wakes, messages that the node holds back, and what it remembers."""
        ...

    def evaluate(self, script: Script, messages: Sequence[Msg]) -> Sequence[Answer]:
        """What the script returns for each message, as JSON text, or why it does not: the answers in the order of the messages,
        one round trip for all. Scripts run in a jailed process, each call with a limit of time and memory.
        """
        ...

    def evaluate_raw(self, script: Script, calls: Sequence[bytes]) -> Sequence[Answer]:
        """The same for other arguments than those of a message: each call is the JSON text of the array of its arguments."""
        ...

    def announce(self, type: str, entity: EntityId, body: Body) -> None:
        """Have a message about the entity go through the rules from their beginning, in the entity's queue."""
        ...

    def acknowledge(self, messages: Sequence[Msg]) -> None:
        """What becomes of these messages from here on is nobody's failure: they are not tried again."""
        ...

    def log(self, text: str) -> None:
        """A line in the log of the rules worker, bounded."""
        ...
