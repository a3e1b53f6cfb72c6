"""From rows of the queue to messages that stand at the beginning of their chains."""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from rules.engine.chains import TenantChains
from rules.engine.entities import Entities, device_metadata
from rules.engine.run import Failed, Start
from rules.node import Body, Msg
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.outbox import Row
from thingsboard.kernel.outbox.messages import position_of

_KINDS = {kind.value: kind for kind in EntityType}


class Queued(NamedTuple):
    """A message in the queue: as it was encoded, and its place there, which makes its id; since when (ms) it is there."""

    row_id: int
    number: int
    row: Row
    appended: int = 0

    def message_id(self) -> bytes:
        """Its own id, else one that is the same however often it runs (RFC 9562, version 8)."""
        row = self.row
        if len(row) > 7 and row[7] is not None:
            return bytes(row[7])
        return self.row_id.to_bytes(6, "big") + (0x8000 | self.number).to_bytes(2, "big") + b"\x80tbqueue"

    def key(self) -> uuid.UUID:
        """The same as a UUID."""
        return uuid.UUID(bytes=self.message_id())

    def kept(self) -> Row:
        """As it is encoded when it leaves its place in the queue: with its id."""
        head, rest = self.row[:6], (*self.row[6:], *(0, None, None, None)[len(self.row) - 6 :])
        return (*head, rest[0], self.message_id(), *rest[2:])


def starts(
    queued: Sequence[Queued], queue: str, entities: Entities, chains: TenantChains
) -> tuple[list[Start], list[int], dict[int, Failed]]:
    """The messages at their beginnings, the number of each in `queued`, and those that cannot begin, by that number."""
    found: list[Start] = []
    origin: list[int] = []
    failed: dict[int, Failed] = {}
    originators = [EntityId(_KINDS[each.row[1]], uuid.UUID(bytes=each.row[2])) for each in queued]
    described = entities.describe(dict.fromkeys(originators))
    chains.profile_chain = entities.profile_chain
    for number, (each, originator) in enumerate(zip(queued, originators, strict=True)):
        kind, _, _, ts, data, metadata, *rest = each.row
        stored, _, customer, position = rest or (0, None, None, None)
        about = described.get(originator)
        if metadata is None:
            metadata = device_metadata(about, ts)
        customer_id = uuid.UUID(bytes=customer) if customer is not None else about.customer_id if about else None
        msg = Msg(each.message_id(), ts, kind, originator, customer_id, metadata, Body(data), queue, bool(stored))
        start = _start(msg, position, chains)
        if isinstance(start, Failed):
            failed[number] = start
        elif start is not None:
            found.append(start)
            origin.append(number)
    return found, origin, failed


def _start(msg: Msg, position: Sequence[object] | None, chains: TenantChains) -> Start | Failed | None:
    """None: the chain is empty, and so the message is done, as in ThingsBoard."""
    if position is None:
        chain = chains.of_originator(msg)
        graph = chains.graph(chain) if chain else None
        if graph is None:
            return Failed(
                "The tenant has no root rule chain." if not chain else "The rule chain does not exist.", chain
            )
        if graph.first is None:
            return None
        return Start(graph, graph.first, msg)
    where = position_of(position)
    graph = chains.graph(where.chain)
    place = None if graph is None else graph.by_id.get(where.node)
    if graph is None or place is None:
        return Failed("The rule node at which the message was to go on is gone.", where.chain, where.node)
    return Start(graph, place, msg._replace(stack=where.stack, visited=where.visited), where.relation)
