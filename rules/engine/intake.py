"""From rows of the queue to messages that stand at the beginning of their chains."""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

from rules.engine.chains import TenantChains
from rules.engine.continuing import WOKEN
from rules.engine.entities import Entities, device_metadata
from rules.engine.graph import Graph
from rules.engine.run import Failed, Start
from rules.node import FAILURE, Body, Msg
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.outbox import Row
from thingsboard.kernel.outbox.messages import position_of

_KINDS = {kind.value: kind for kind in EntityType}


class Queued(NamedTuple):
    """A message in the queue: as it was encoded, and its place there, which makes its id; since when (ms) it is there, and how
    often it was tried again since it came there; where it stands in line (rules.engine.in_line).
    """

    row_id: int
    number: int
    row: Row
    appended: int = 0
    tried: int = 0
    order: tuple[int, int] | None = None

    def message_id(self) -> bytes:
        """Its own id, else one that is the same however often it runs (RFC 9562, version 8)."""
        row = self.row
        if len(row) > 7 and row[7] is not None:
            return bytes(row[7])
        return self.row_id.to_bytes(6, "big") + (0x8000 | self.number).to_bytes(2, "big") + b"\x80tbqueue"

    def key(self) -> uuid.UUID:
        """The same as a UUID."""
        return uuid.UUID(bytes=self.message_id())

    @property
    def retries(self) -> int:
        """How often it was tried again, before it waited for work outside too."""
        row = self.row
        return self.tried if len(row) < 10 or row[9] is None else self.tried + position_of(row[9]).retries

    def kept(self) -> Row:
        """As it is encoded when it leaves its place in the queue: with its id."""
        head, rest = self.row[:6], (*self.row[6:], *(0, None, None, None)[len(self.row) - 6 :])
        return (*head, rest[0], self.message_id(), *rest[2:])

    def came_back_failed(self, failed: Failed) -> bool:
        """Whether it came back as its node's Failure, which leads nowhere."""
        position = self.row[9] if len(self.row) > 9 else None
        return position is not None and position[2] == FAILURE and position[1] == failed.node

    def again(self, failed: Failed) -> Row:
        """The same, to be run again after it failed. Where it came back as its node's Failure, which leads nowhere, that node
        has it again: what it did outside is what has to be done again.
        """
        row = self.kept()
        if row[9] is None:
            return row
        position, metadata = position_of(row[9])._replace(retries=0), row[5]
        if self.came_back_failed(failed):
            position = position._replace(relation=None)
            metadata = {key: value for key, value in (metadata or {}).items() if key != "error"}
        return (*row[:5], metadata, *row[6:9], position)

    def at_its_node(self, failed: Failed, retries: int) -> Row:
        """The same, and how often that was."""
        row = self.again(failed)
        return (*row[:9], row[9]._replace(retries=retries))


def starts(
    queued: Sequence[Queued], queue: str, entities: Entities, chains: TenantChains
) -> tuple[list[Start], list[int], dict[int, Failed]]:
    """The messages at their beginnings, the number of each in `queued`, and those that cannot begin, by that number."""
    found: list[Start] = []
    origin: list[int] = []
    failed: dict[int, Failed] = {}
    # Most batches have several messages of an originator: what depends on it alone is found once for each.
    ids: dict[tuple[str, bytes], EntityId] = {}
    for each in queued:
        key = each.row[1:3]
        if key not in ids:
            ids[key] = EntityId(_KINDS[key[0]], uuid.UUID(bytes=key[1]))
    described = entities.describe(ids.values())
    chains.profile_chain = entities.profile_chain
    known = {key: (entity, described.get(entity), _beginning(entity, chains)) for key, entity in ids.items()}
    for number, each in enumerate(queued):
        kind, _, _, ts, data, metadata, *rest = each.row
        originator, about, beginning = known[each.row[1:3]]
        stored, _, customer, position = rest or (0, None, None, None)
        if metadata is None:
            metadata = device_metadata(about, kind, ts)
        customer_id = uuid.UUID(bytes=customer) if customer is not None else about.customer_id if about else None
        msg = Msg(each.message_id(), ts, kind, originator, customer_id, metadata, Body(data), queue, bool(stored))
        start: Start | Failed | None
        if position is not None:
            start = _continued(msg, position, chains)
        elif isinstance(beginning, Graph):
            start = None if beginning.first is None else Start(beginning, beginning.first, msg)
        else:
            start = beginning
        if isinstance(start, Failed):
            failed[number] = start
        elif start is not None:  # None: there is nothing to do, as where a chain is empty
            found.append(start)
            origin.append(number)
    return found, origin, failed


def _beginning(originator: EntityId, chains: TenantChains) -> Graph | Failed:
    """The chain that messages of the originator enter."""
    chain = chains.of_originator(originator)
    graph = chains.graph(chain) if chain else None
    if graph is None:
        return Failed("The tenant has no root rule chain." if not chain else "The rule chain does not exist.", chain)
    return graph


def _continued(msg: Msg, position: Sequence[object], chains: TenantChains) -> Start | Failed | None:
    where = position_of(position)
    graph = chains.graph(where.chain)
    place = None if graph is None else graph.by_id.get(where.node)
    if where.relation == WOKEN and (graph is None or place is None or msg.type not in graph.places[place].node.WAKES):
        return None  # the node is gone, or is another one now
    if graph is None or place is None:
        return Failed("The rule node at which the message was to go on is gone.", where.chain, where.node)
    return Start(graph, place, msg._replace(stack=where.stack, visited=where.visited), where.relation or None)
