"""Where enrichment puts what it found: into the metadata or the body of the message."""

import enum
from collections.abc import Mapping
from typing import Any

import orjson

from rules.node.message import Msg
from rules.node.template import java_text
from telemetry.points import Json, Value


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


def upgraded(raw: dict[str, Any], old: str, if_true: FetchTo, if_false: FetchTo) -> dict[str, Any]:
    """A configuration that had a truth value `old` instead of `fetchTo`. Raises ValueError where it is neither."""
    value = raw.get(old)
    rest = {key: each for key, each in raw.items() if key != old}
    if value is None:
        return {**rest, "fetchTo": FetchTo.METADATA.value}
    place = {"true": if_true, "false": if_false}.get(str(value).lower())
    if place is None:
        raise ValueError(f"{old} has the unexpected value {str(value)[:40]!r}; expected true or false.")
    return {**rest, "fetchTo": place.value}


def _plain(value: Value | None) -> Any:
    return orjson.loads(str(value)) if isinstance(value, Json) else value


def _text(value: Value | None) -> str:
    return str(value) if isinstance(value, str) else java_text(value) or ""
