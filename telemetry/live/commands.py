"""What clients say: messages of /api/ws and of its older form, taken apart (compat/websocket.md 1 to 3).

A message that is not of the expected form raises ValueError as a whole; a command that asks for something impossible
raises BadRequest when it is read closer, and is answered by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from telemetry.live import reads
from telemetry.points import Scope
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId, EntityType, parse_uuid

LONGEST_KEYS = 1000  # keys that one command may name
_LARGEST = 2**53

SERVED = ("ATTRIBUTES", "TIMESERIES", "TIMESERIES_HISTORY", "ENTITY_DATA", "ENTITY_DATA_UNSUBSCRIBE")
LATER = (
    "ENTITY_COUNT", "ENTITY_COUNT_UNSUBSCRIBE", "ALARM_DATA", "ALARM_DATA_UNSUBSCRIBE", "ALARM_COUNT",
    "ALARM_COUNT_UNSUBSCRIBE", "ALARM_STATUS", "ALARM_STATUS_UNSUBSCRIBE", "NOTIFICATIONS", "NOTIFICATIONS_COUNT",
    "NOTIFICATIONS_UNSUBSCRIBE", "MARK_NOTIFICATIONS_AS_READ", "MARK_ALL_NOTIFICATIONS_AS_READ",
)  # fmt: skip

# The older form has a list for each kind of command.
_TELEMETRY_LISTS = {
    "attrSubCmds": "ATTRIBUTES",
    "tsSubCmds": "TIMESERIES",
    "historyCmds": "TIMESERIES_HISTORY",
    "entityDataCmds": "ENTITY_DATA",
    "entityDataUnsubscribeCmds": "ENTITY_DATA_UNSUBSCRIBE",
    "alarmDataCmds": "ALARM_DATA",
    "alarmDataUnsubscribeCmds": "ALARM_DATA_UNSUBSCRIBE",
    "entityCountCmds": "ENTITY_COUNT",
    "entityCountUnsubscribeCmds": "ENTITY_COUNT_UNSUBSCRIBE",
    "alarmCountCmds": "ALARM_COUNT",
    "alarmCountUnsubscribeCmds": "ALARM_COUNT_UNSUBSCRIBE",
}
_NOTIFICATION_MEMBERS = {
    "unreadCountSubCmd": "NOTIFICATIONS_COUNT",
    "unreadSubCmd": "NOTIFICATIONS",
    "markAsReadCmd": "MARK_NOTIFICATIONS_AS_READ",
    "markAllAsReadCmd": "MARK_ALL_NOTIFICATIONS_AS_READ",
    "unsubCmd": "NOTIFICATIONS_UNSUBSCRIBE",
}


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its type, its id, and its other members as they came."""

    type: str
    id: int
    body: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A text; missing and null are "". Raises BadRequest."""
        return text(self.body, name)

    def whole(self, name: str) -> int:
        """A whole number; missing and null are 0. Raises BadRequest."""
        return whole(self.body, name)

    def keys(self) -> list[str] | None:
        """The member `keys`, "a,b"; None where it names none. Raises BadRequest."""
        found = list(dict.fromkeys(part.strip() for part in self.text("keys").split(",") if part.strip()))
        if len(found) > LONGEST_KEYS:
            raise BadRequest(f"Too many keys: {len(found)}; at most {LONGEST_KEYS} may be named")
        return found or None

    def entity(self) -> EntityId:
        """Whom it is about. Raises BadRequest."""
        if not self.text("entityId"):
            raise BadRequest("Device id is empty!")
        return entity_of(self.text("entityType"), self.text("entityId"))

    def scope(self) -> Scope | None:
        """The scope of attributes; None: any. Raises BadRequest."""
        if not self.text("scope") or self.text("scope") == "ANY_SCOPE":
            return None
        try:
            return Scope.of(self.text("scope"))
        except ValueError as error:
            raise BadRequest(str(error)) from None

    def window(self, start: int, end: int) -> reads.Window:
        """The range of history that is asked for. Raises BadRequest."""
        keys = self.keys()
        if keys is None:
            raise BadRequest("Keys are empty!")
        interval, limit = self.whole("interval"), self.whole("limit")
        return reads.window(keys, start, end, interval=interval, limit=limit, agg=self.text("agg"))


@dataclass(frozen=True, slots=True)
class Message:
    """What one text frame holds. `token` is None where it has no authCmd."""

    token: str | None
    commands: list[Command]


def message(raw: str) -> Message:
    """A message of /api/ws. Raises ValueError."""
    document = _document(raw)
    auth, listed = document.get("authCmd"), document.get("cmds")
    listed = [] if listed is None else listed
    if not isinstance(listed, list) or not (auth is None or isinstance(auth, dict)):
        raise ValueError('expected "cmds" as an array and "authCmd" as an object')
    token = None if auth is None else str(auth.get("token") or "")
    return Message(token, [_command(each, each.get("type") if isinstance(each, dict) else None) for each in listed])


def telemetry_message(raw: str) -> Message:
    """A message of /api/ws/plugins/telemetry. Raises ValueError."""
    document = _document(raw)
    found: list[Command] = []
    for name, kind in _TELEMETRY_LISTS.items():
        listed = document.get(name)
        if not (listed is None or isinstance(listed, list)):
            raise ValueError(f'expected "{name}" as an array')
        found += [_command(each, kind) for each in listed or []]
    return Message(None, found)


def notification_message(raw: str) -> Message:
    """A message of /api/ws/plugins/notifications. Raises ValueError."""
    document = _document(raw)
    return Message(
        None, [_command(document[name], kind) for name, kind in _NOTIFICATION_MEMBERS.items() if document.get(name)]
    )


def entity_of(kind: str, key: Any) -> EntityId:
    """An entity by the names that clients use. Raises BadRequest."""
    try:
        found = EntityType(kind)
    except ValueError:
        raise BadRequest(f"Unknown entityType '{kind[:40]}'") from None
    try:
        return EntityId(found, parse_uuid(key))
    except ValueError as error:
        raise BadRequest(str(error)) from None


def text(body: Mapping[str, Any], name: str) -> str:
    """A text; missing and null are "". Raises BadRequest."""
    found = body.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise BadRequest(f"Expected '{name}' as a text")
    return found


def whole(body: Mapping[str, Any], name: str) -> int:
    """A whole number; missing and null are 0. Raises BadRequest."""
    found = body.get(name)
    if found is None:
        return 0
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int) or not -_LARGEST <= found <= _LARGEST:
        raise BadRequest(f"Expected '{name}' as a whole number")
    return found


def flag(body: Mapping[str, Any], name: str) -> bool:
    """A boolean; missing and null are false. Raises BadRequest."""
    found = body.get(name)
    if found is None or isinstance(found, bool):
        return bool(found)
    raise BadRequest(f"Expected '{name}' as true or false")


def _document(raw: str) -> dict[str, Any]:
    found = orjson.loads(raw)  # its error is a ValueError
    if not isinstance(found, dict):
        raise ValueError("expected an object")
    return found


def _command(body: Any, kind: Any) -> Command:
    if not isinstance(body, dict) or kind not in (*SERVED, *LATER):
        raise ValueError("expected commands as objects of a known type")
    number = body.get("cmdId", 0)
    if isinstance(number, bool) or not isinstance(number, int) or not -(2**31) <= number < 2**31:
        raise ValueError('expected "cmdId" as a whole number of 32 bits')
    return Command(kind, number, body)
