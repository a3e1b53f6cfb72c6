"""What is told of a connection that was refused or closed, or whose message was refused."""

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
        address=connection.address[0],
        identity=getattr(connection, "identity", None),
        token=(claim.user or "") if claim is not None else "",
        password=(claim.password or b"") if claim is not None else b"",
        client_id=claim.client_id if claim is not None else "",
    )


def about_topic(reason: str, topic: bytes) -> str:
    """The sentence of a publish to a topic that is not served."""
    return f"{sentence(reason)} Topic: {topic.decode(errors='replace')[:LONGEST_TOPIC]}"
