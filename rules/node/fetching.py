"""Where enrichment puts what it found: into the metadata or the body of the message."""

import enum
from collections.abc import Mapping
from typing import Any, Final

import orjson

from rules.node.context import EntityFields
from rules.node.message import Msg
from rules.node.template import java_text
from telemetry.points import Json, Value
from thingsboard.kernel.encoding import json_bytes

# What fields that are not set are as text.
NOTHING: Final = ("", "null")


class FetchTo(enum.StrEnum):
    """ThingsBoard's names of the two places."""

    METADATA = "METADATA"
    DATA = "DATA"

    def enriched(self, msg: Msg, found: Mapping[str, Value | None]) -> Msg:
        """The message with what was found, stored values by their new names: as text in metadata, as what they are in a body.
        Raises ValueError where it belongs into a body that is not a JSON object.
        """
        if self is FetchTo.DATA:
            return msg.with_data({**msg.data.members, **{key: _plain(value) for key, value in found.items()}})
        return msg.with_all_metadata({**msg.metadata, **{key: _text(value) for key, value in found.items()}})


def upgraded(
    raw: dict[str, Any], old: str, if_true: FetchTo, if_false: FetchTo, *, required: bool = False
) -> dict[str, Any]:
    """A configuration that had a truth value `old` instead of `fetchTo`. Raises ValueError where it is neither, or missing
    though it is `required`; else that means the metadata.
    """
    if required:
        old_value(raw, old)
    value = raw.get(old)
    rest = {key: each for key, each in raw.items() if key != old}
    if value is None:
        return {**rest, "fetchTo": FetchTo.METADATA.value}
    place = {"true": if_true, "false": if_false}.get(str(value).lower())
    if place is None:
        raise ValueError(f"{old} has the unexpected value {str(value)[:40]!r}; expected true or false.")
    return {**rest, "fetchTo": place.value}


def old_value(raw: dict[str, Any], name: str) -> Any:
    """A member that every configuration of an older version has. Raises ValueError where it is missing."""
    if name not in raw:
        raise ValueError(f"{name} is missing in a configuration of version 0.")
    return raw[name]


def field_of(entity: EntityFields, field: str) -> str | None:
    """The text of a field of an entity or of what is inside one (`additionalInfo.description`), None where there is no such
    thing.
    """
    text = entity.fields.get(field)
    head, dot, path = field.partition(".")
    if text is not None or not dot:
        return text
    try:
        value: Any = orjson.loads(entity.fields.get(head, ""))
        for name in path.split("."):
            value = value[name]
    except (ValueError, KeyError, TypeError):
        return None
    text = java_text(value)
    return json_bytes(value).decode() if text is None else text


def _plain(value: Value | None) -> Any:
    return orjson.loads(str(value)) if isinstance(value, Json) else value


def _text(value: Value | None) -> str:
    return str(value) if isinstance(value, str) else java_text(value) or ""
