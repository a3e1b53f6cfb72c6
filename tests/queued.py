"""What the durable queue holds, for tests of who appends to it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from thingsboard.kernel.models import OutboxFlow, OutboxRow
from thingsboard.kernel.outbox import Message, decode


def queued(tenant_id: uuid.UUID | None = None) -> list[tuple[str, Message]]:
    """(queue, message) of one tenant or all, in the order in which they were appended."""
    flows = {flow.pk: flow for flow in OutboxFlow.objects.all()}
    return [
        (flows[row.flow_id].queue, message)
        for row in OutboxRow.objects.order_by("id")
        if tenant_id in (None, flows[row.flow_id].tenant_id)
        for message in decode(row.body)
    ]


@contextmanager
def newly_queued(tenant_id: uuid.UUID | None = None) -> Iterator[list[Message]]:
    """The messages that are appended inside, once it is over."""
    before = len(queued(tenant_id))
    found: list[Message] = []
    yield found
    found += [message for _, message in queued(tenant_id)[before:]]


def body(message: Message) -> Any:
    """Its JSON."""
    return orjson.loads(message.data)
