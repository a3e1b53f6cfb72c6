"""What waits for a time, in a dry run: it is asked as in a batch, and what would be caused is told."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from rules.engine.later import BatchLater
from rules.engine.tools import Tools
from rules.node import Msg
from rules.node.later import DeviceCall
from thingsboard.kernel.outbox import Position


class DryLater(BatchLater):
    """`note` is told of deeds: (effect, entity, what else there is to say)."""

    def __init__(
        self, tools: Tools, tenant_id: uuid.UUID, here: Callable[[], Position], note: Callable[..., None]
    ) -> None:
        super().__init__(tools.connection, tenant_id, tools.room, here)
        self._note: Callable[..., None] = note

    def hold(self, messages: Sequence[Msg]) -> None:
        """See rules.node.Later."""
        super().hold(messages)
        for msg in messages:
            self._note("hold back", msg.originator, type=msg.type)

    def call(self, request: DeviceCall) -> None:
        """See rules.node.Later."""
        told: dict[str, Any] = {"method": request.method, "params": request.params, "persistent": request.persistent}
        self._note("call", request.device, **told)
