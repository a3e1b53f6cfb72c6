"""What nodes see of the world, in memory: the Context protocol and nothing else, with a record of what was asked and caused."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from rules.node import Body, EntityFields, Msg
from rules.node.context import ActiveAlarm, AlarmResult, AlarmWish
from rules.node.scripts import Answer, Script, arguments
from telemetry.json import Rules
from telemetry.points import Attribute, Point, Reading, Scope, Value
from tests.rules.nodes.deeds import Deeds
from tests.rules.nodes.later import Later
from tests.rules.nodes.lookups import Lookups
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.script import Jail, Limits

TENANT = uuid.UUID("5f0a1c00-0000-11ee-8000-000000000001")
CUSTOMER = uuid.UUID("5f0a1c00-0000-11ee-8000-000000000002")
NODE = uuid.UUID("5f0a1c00-0000-11ee-8000-000000000003")
NOW = 1_700_000_000_000
CAME = NOW - 1000

# Begun by the first test that runs a script; it ends with the process.
JAIL = Jail(Limits(timeout_ms=200))


def entity(number: int = 1, type: EntityType = EntityType.DEVICE) -> EntityId:
    return EntityId(type, uuid.UUID(int=(0x5F0A1C0000001111 << 64) + number))


DEVICE = entity()


def message(
    data: Any = None,
    type: str = "POST_TELEMETRY_REQUEST",
    *,
    originator: EntityId = DEVICE,
    raw: bytes | None = None,
    stored: bool = False,
    **metadata: str,
) -> Msg:
    """One as a transport makes it; `raw` is a body as it came, `data` one that a node made."""
    body = Body(raw if raw is not None else orjson.dumps(data))
    return Msg(b"0123456789abcdef", CAME, type, originator, CUSTOMER, metadata, body, stored=stored)


class Alarms:
    """Active alarms by originator and type."""

    def __init__(self) -> None:
        self.actives: dict[tuple[EntityId, str], dict[str, Any]] = {}
        self.all: dict[uuid.UUID, dict[str, Any]] = {}
        self.loads: list[set[tuple[EntityId, str]]] = []
        self.wishes: list[AlarmWish] = []

    def has(self, originator: EntityId, type: str, details: Any = None) -> uuid.UUID:
        """Begin with an active alarm."""
        id = uuid.UUID(int=len(self.all) + 7)
        alarm = {
            "id": {"entityType": "ALARM", "id": str(id)},
            "originator": originator.to_json(),
            "type": type,
            "severity": "WARNING",
            "startTs": 5,
            "endTs": 6,
            "details": details,
            "cleared": False,
        }
        self.actives[originator, type] = self.all[id] = alarm
        return id

    def load(self, wanted: Collection[tuple[EntityId, str]]) -> None:
        self.loads.append(set(wanted))

    def active(self, originator: EntityId, type: str) -> ActiveAlarm | None:
        assert any((originator, type) in load for load in self.loads), "asked without having been loaded"
        alarm = self.actives.get((originator, type))
        return None if alarm is None else ActiveAlarm(uuid.UUID(alarm["id"]["id"]), alarm["startTs"], alarm["details"])

    def by_id(self, ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, dict[str, Any]]:
        return {id: self.all[id] for id in ids if id in self.all}

    def create(self, wish: AlarmWish) -> AlarmResult:
        assert any((wish.originator, wish.type) in load for load in self.loads), "created without having been loaded"
        self.wishes.append(wish)
        active = self.actives.get((wish.originator, wish.type))
        if active is None:
            self.has(wish.originator, wish.type)
        alarm = self.actives[wish.originator, wish.type]
        changes = {"severity": wish.severity, "startTs": wish.start_ts, "endTs": wish.end_ts}
        severe = active is not None and active["severity"] != wish.severity
        alarm.update(changes, details=alarm["details"] if wish.details is None else wish.details)
        return AlarmResult(Body.of(dict(alarm)), created=active is None, severity_changed=severe)

    def clear(self, originator: EntityId, type: str, details: Any, ts: int) -> AlarmResult | None:
        alarm = self.actives.pop((originator, type), None)
        if alarm is None:
            return None
        alarm.update(cleared=True, clearTs=ts, details=alarm["details"] if details is None else details)
        return AlarmResult(Body.of(dict(alarm)), cleared=True)


class World:
    """The context of one batch. What was asked is in `asked`, by the question's name."""

    def __init__(self) -> None:
        self.tenant_id = TENANT
        self.here = NODE.bytes
        self.clock = NOW
        self.known: dict[EntityId, EntityFields] = {}
        self.relations: set[tuple[EntityId, str, EntityId]] = set()
        self.stored_attributes: dict[tuple[EntityId, Scope], dict[str, Attribute]] = {}
        self.stored_latest: dict[EntityId, dict[str, Point]] = {}
        self.points: list[tuple[EntityId, Sequence[Reading], int, dict[str, bool]]] = []
        self.attributes_saved: list[tuple[EntityId, Scope, dict[str, Value], dict[str, Any]]] = []
        self.lines: list[str] = []
        self.acknowledged: list[Msg] = []
        self.announced: list[tuple[str, EntityId, Any]] = []
        self.asked: list[str] = []
        self.decoding = Rules()
        self._seen: set[tuple[str, EntityId, int]] = set()
        self._alarms = Alarms()
        self._deeds = Deeds()
        self._lookups = Lookups(self.asked)
        self.waiting = Later(lambda: self.clock)

    def now(self) -> int:
        return self.clock

    @property
    def json_rules(self) -> Rules:
        return self.decoding

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
        if any(not key for _, values in readings for key in values):
            raise ValueError("A key must not be empty.")
        where = {"history": history, "latest": latest, "live": live, "fields": fields}
        self.points.append((entity, readings, ttl_s, where))

    def first_in_interval(self, purpose: str, asked: Sequence[tuple[EntityId, int]], interval_s: int) -> Sequence[bool]:
        self.asked.append("first_in_interval")
        answers = []
        for entity, ts in asked:
            key = (purpose, entity, ts // (interval_s * 1000))
            answers.append(key not in self._seen)
            self._seen.add(key)
        return answers

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
        if any(not key for key in values):
            raise ValueError("A key must not be empty.")
        options = {"only_changes": only_changes, "notify_device": notify_device, "announce": announce}
        where = {"store": store, "live": live, "fields": fields, "ts": ts}
        self.attributes_saved.append((entity, scope, values, {**options, **where}))

    def attributes(
        self, scope: Scope, keys: Collection[str], entities: Collection[EntityId]
    ) -> Mapping[EntityId, Mapping[str, Attribute]]:
        self.asked.append("attributes")
        found = {entity: self.stored_attributes.get((entity, scope), {}) for entity in entities}
        return {entity: {key: there[key] for key in keys if key in there} for entity, there in found.items() if there}

    def latest(self, keys: Collection[str], entities: Collection[EntityId]) -> Mapping[EntityId, Mapping[str, Point]]:
        self.asked.append("latest")
        found = {entity: self.stored_latest.get(entity, {}) for entity in entities}
        return {entity: {key: there[key] for key in keys if key in there} for entity, there in found.items() if there}

    def describe(self, entities: Collection[EntityId]) -> Mapping[EntityId, EntityFields]:
        self.asked.append("describe")
        return {entity: self.known[entity] for entity in entities if entity in self.known}

    def related(
        self,
        direction: str,
        relation_type: str,
        entities: Collection[EntityId],
        other: EntityId | None = None,
    ) -> Collection[EntityId]:
        self.asked.append("related")
        pairs = [(a, b) if direction == "FROM" else (b, a) for a, type, b in self.relations if type == relation_type]
        return {mine for mine, theirs in pairs if mine in entities and other in (None, theirs)}

    @property
    def deeds(self) -> Deeds:
        return self._deeds

    @property
    def alarms(self) -> Alarms:
        return self._alarms

    @property
    def look(self) -> Lookups:
        return self._lookups

    @property
    def later(self) -> Later:
        return self.waiting

    def evaluate(self, script: Script, messages: Sequence[Msg]) -> Sequence[Answer]:
        return self.evaluate_raw(script, [arguments(msg) for msg in messages])

    def evaluate_raw(self, script: Script, calls: Sequence[bytes]) -> Sequence[Answer]:
        self.asked.append("evaluate")
        return JAIL.call(script.program, calls)

    def announce(self, type: str, entity: EntityId, body: Body) -> None:
        self.announced.append((type, entity, body.value))

    def acknowledge(self, messages: Sequence[Msg]) -> None:
        self.acknowledged.extend(messages)

    def log(self, text: str) -> None:
        self.lines.append(text)


def device(profile: str = "thermostat", **fields: str) -> EntityFields:
    """What is known of a device."""
    return EntityFields(
        "Thermostat T1", profile, "", CUSTOMER, None, {"name": "Thermostat T1", "type": profile, **fields}
    )
