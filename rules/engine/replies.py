"""Answers to who waits: gathered while a batch runs, told over the bus once it is committed. They may be lost.

An answer to a REST call (docs/reference/rest.md) goes to the channel `rule-call:<serviceId>` of the web process that waits:

    {"requestId": uuid, "tenantId": uuid, "data": JSON text}

An answer to the RPC of a device goes to `rule-rpc:<serviceId>` of the transport that has its session:

    {"sessionId": uuid, "requestId": int, "deviceId": uuid, "tenantId": uuid, "data": JSON text}

Who receives one checks the tenant, and the device: metadata are what a chain makes of them.
"""

import uuid
from typing import Any, Final

from rules.node import Body
from thingsboard.kernel import bus
from thingsboard.kernel.ids import EntityId

CALL_CHANNEL: Final = "rule-call:"
RPC_CHANNEL: Final = "rule-rpc:"
LARGEST_REPLY: Final = 1 << 20  # bytes
LONGEST_SERVICE: Final = 128


class Replies:
    """Of one batch of one tenant."""

    def __init__(self, tenant_id: uuid.UUID) -> None:
        self._tenant_id = str(tenant_id)
        self._waiting: list[tuple[str, dict[str, Any]]] = []

    def call(self, service: str, request: uuid.UUID, body: Body) -> None:
        """Answer a REST call. Raises ValueError for what is too large or cannot be a service's name."""
        self._add(CALL_CHANNEL, service, {"requestId": str(request)}, body)

    def device(self, device: EntityId, service: str, session: uuid.UUID, request: int, body: Body) -> None:
        """Answer a device. Raises ValueError as `call`."""
        who = {"sessionId": str(session), "requestId": request, "deviceId": str(device.id)}
        self._add(RPC_CHANNEL, service, who, body)

    def _add(self, channel: str, service: str, who: dict[str, Any], body: Body) -> None:
        if len(service) > LONGEST_SERVICE:
            raise ValueError(f"The service id has {len(service)} characters; at most {LONGEST_SERVICE} are accepted.")
        raw = body.raw
        if len(raw) > LARGEST_REPLY:
            raise ValueError(f"The answer has {len(raw)} bytes; at most {LARGEST_REPLY} are sent.")
        payload = {**who, "tenantId": self._tenant_id, "data": raw.decode("utf-8", "replace")}
        self._waiting.append((channel + service, payload))

    def mark(self) -> int:
        """How many wait; `undo` goes back to it."""
        return len(self._waiting)

    def undo(self, mark: int) -> None:
        """Nobody is answered of what came since."""
        del self._waiting[mark:]

    def committed(self) -> None:
        """Tell them all."""
        if self._waiting:
            bus.publish_many(self._waiting)
