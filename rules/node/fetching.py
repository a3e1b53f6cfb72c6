"""Where enrichment puts what it found: into the metadata or the body of the message."""

import enum
from collections.abc import Mapping
from typing import Any

from rules.node.message import Msg
from rules.node.template import java_text
from thingsboard.kernel.encoding import json_bytes


class FetchTo(enum.StrEnum):
    """ThingsBoard's names of the two places."""

    METADATA = "METADATA"
    DATA = "DATA"

    def enriched(self, msg: Msg, found: Mapping[str, Any]) -> Msg:
        """The message with what was found, JSON values by their new names. Raises ValueError where it belongs into a body
        that is not a JSON object.
        """
        if self is FetchTo.DATA:
            return msg.with_data({**msg.data.members, **found})
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


def _text(value: Any) -> str:
    text = java_text(value)
    return json_bytes(value).decode() if text is None else text
