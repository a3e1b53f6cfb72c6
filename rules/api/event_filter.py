"""ThingsBoard's EventFilter: what of the bodies of events is searched for (compat/data_model.md 10)."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from rules.models import EventType
from thingsboard.kernel.api import text_of
from thingsboard.kernel.errors import BadRequest

# By type of event: the filter's member, and that of the body which must be equal, or hold the text.
_EQUAL: dict[str, dict[str, str]] = {
    EventType.DEBUG_RULE_NODE: {
        "msgDirectionType": "type",
        "entityId": "entityId",
        "entityType": "entityType",
        "msgId": "msgId",
    },
    EventType.DEBUG_CALCULATED_FIELD: {"entityId": "entityId", "entityType": "entityType", "msgId": "msgId"},
}
_HOLDS: dict[str, dict[str, str]] = {
    EventType.DEBUG_RULE_NODE: {
        "msgType": "msgType",
        "relationType": "relationType",
        "dataSearch": "data",
        "metadataSearch": "metadata",
    },
    EventType.DEBUG_RULE_CHAIN: {"message": "message"},
    EventType.DEBUG_CALCULATED_FIELD: {"msgType": "msgType", "arguments": "arguments", "result": "result"},
    EventType.ERROR: {"method": "method"},
    EventType.LC_EVENT: {"event": "event"},
    EventType.STATS: {},
}
_FAILING = {EventType.DEBUG_RULE_NODE, EventType.DEBUG_RULE_CHAIN, EventType.DEBUG_CALCULATED_FIELD}
_STATUSES = {"success": "true", "failure": "false"}
_COUNTS = {
    "minMessagesProcessed": "messagesProcessed__gte",
    "maxMessagesProcessed": "messagesProcessed__lte",
    "minErrorsOccurred": "errorsOccurred__gte",
    "maxErrorsOccurred": "errorsOccurred__lte",
}


def event_type(name: str) -> EventType:
    """ThingsBoard's type of that name. Raises BadRequest."""
    try:
        return EventType(name.upper())
    except ValueError:
        raise BadRequest(
            f"Event type: '{name[:40]}' is not supported; expected one of {', '.join(EventType.values)}"
        ) from None


def wanted(body: Mapping[str, Any]) -> tuple[EventType, Q]:
    """The type of event that a filter is about, and its condition on events. Raises BadRequest."""
    kind = event_type(text_of(body, "eventType"))
    found = Q()
    for name, member in _EQUAL.get(kind, {}).items():
        if value := text_of(body, name):
            found &= Q(**{f"body__{member}": value})
    for name, member in {**_HOLDS[kind], "server": "server", "errorStr": "error"}.items():
        if value := text_of(body, name):
            found &= Q(**{f"body__{member}__icontains": value})
    if kind in _FAILING and _flag(body, "isError", "error"):
        found &= Q(body__has_key="error")
    if kind is EventType.LC_EVENT and (status := text_of(body, "status")):
        if status.lower() not in _STATUSES:
            raise BadRequest("status: expected Success or Failure")
        found &= Q(body__success=_STATUSES[status.lower()])
    if kind is EventType.STATS:
        for name, lookup in _COUNTS.items():
            bound = body.get(name)
            if isinstance(bound, int) and not isinstance(bound, bool):
                found &= Q(**{f"body__{lookup}": bound})
    return kind, found


def _flag(body: Mapping[str, Any], *names: str) -> bool:
    """Whether one of these members, which clients call differently, is true. Raises BadRequest."""
    for name in names:
        value = body.get(name)
        if value is not None and not isinstance(value, bool):
            raise BadRequest(f"{name}: expected true or false")
        if value:
            return True
    return False
