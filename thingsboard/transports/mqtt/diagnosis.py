"""What is told of a connection that was refused or closed, or whose message was refused."""

import asyncio
from typing import Any

from thingsboard.transports.mqtt.packets import Connect
from thingsboard.transports.reasons import sentence
from thingsboard.transports.refusals import RefusalLog

LONGEST_TOPIC = 100  # characters


def note(log: RefusalLog, connection: Any, reason: str, message: str = "") -> None:
    """Note a refusal of a connection: of its device where it was recognised, else of the token that its CONNECT showed."""
    claim: Connect | None = connection.claim
    log.note(
        reason,
        message,
        address=host_of(connection.transport),
        identity=getattr(connection, "identity", None),
        token=(claim.user or "") if claim is not None else "",
        client_id=claim.client_id if claim is not None else "",
    )


def host_of(transport: asyncio.BaseTransport) -> str:
    """The other end without its port, "" where that is not known."""
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) and peer else ""


def about_topic(reason: str, topic: bytes) -> str:
    """The sentence of a publish to a topic that is not served."""
    return f"{sentence(reason)} Topic: {topic.decode(errors='replace')[:LONGEST_TOPIC]}"
