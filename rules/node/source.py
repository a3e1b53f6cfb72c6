"""Which part of a message a node works on: its body or its metadata (ThingsBoard's TbMsgSource)."""

import enum
from typing import Any

_OLD = "fromMetadata"


class Source(enum.StrEnum):
    """ThingsBoard's names of the two parts."""

    DATA = "DATA"
    METADATA = "METADATA"


def upgraded(version: int, raw: dict[str, Any], name: str, second: str = _OLD) -> dict[str, Any]:
    """A configuration of version 0 or 1 with the source as the member `name`.

    Version 0 had a truth value, version 1 the source itself under the odd name `second`. Raises ValueError where neither
    says which one it is.
    """
    if version > 1 or name in raw:
        return raw
    old, known = (
        (_OLD, {"true": Source.METADATA, "false": Source.DATA})
        if version == 0
        else (second, {each.value: each for each in Source})
    )
    if old not in raw:
        raise ValueError(f"The configuration of version {version} has no {old}.")
    value = raw[old]
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if text not in known:
        raise ValueError(f"{old} has the unexpected value {text[:40]!r}; expected {' or '.join(known)}.")
    return {**{key: each for key, each in raw.items() if key != old}, name: known[text].value}
