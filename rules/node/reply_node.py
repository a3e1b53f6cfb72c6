"""What the nodes that answer somebody who waits have in common: whom the metadata name."""

import uuid

from rules.node.message import Msg
from thingsboard.kernel.ids import parse_uuid


def named(msg: Msg, member: str, title: str) -> str:
    """A member of the metadata that must be there. Raises ValueError."""
    found = msg.metadata.get(member)
    if not found:
        raise ValueError(f"{title} id is not present in the metadata!")
    return found


def named_uuid(msg: Msg, member: str, title: str) -> uuid.UUID:
    """The same where it is a UUID. Raises ValueError."""
    found = named(msg, member, title)
    try:
        return parse_uuid(found)
    except ValueError:
        raise ValueError(f"{title} id in the metadata is not a UUID: {found[:40]!r}.") from None


def require_body(msg: Msg) -> None:
    """Raises ValueError where there is nothing to answer with."""
    if not msg.data.raw:
        raise ValueError("Request body is empty!")
