"""Messages that leave the batch and come back: how they are kept, and how they go on (kernel.outbox.Position)."""

from rules.node import Body, Emit, Msg, Suspend
from thingsboard.kernel.effects import Effect
from thingsboard.kernel.outbox import Message, Position, Row

# Instead of a label in the position of a message by which a node is woken: it arrives at the node, or nowhere.
WOKEN = ""


def kept(msg: Msg, position: Position) -> Row:
    """A message as it is encoded outside of its batch: it keeps its id, and goes on at that position."""
    return Message(
        msg.type, msg.originator, msg.data.raw, msg.metadata, msg.ts, msg.customer_id, msg.key, msg.stored, position
    ).row()


def effect_of(place: Position, outcome: Suspend, order: tuple[int, int] | None) -> Effect:
    """The work that a message waits for, as it is stored; `order` is its place where it stands in line."""
    return Effect(outcome.destination, outcome.msg.queue, kept(outcome.msg, place), order)


def message_of(row: Row, queue: str) -> tuple[Msg, Position]:
    """A message that was `kept`, and its position. Raises ValueError where it is none."""
    message = Message.of(row)
    if message.position is None or message.id is None or message.metadata is None or message.ts is None:
        raise ValueError("it does not say where it goes on")
    where = message.position
    msg = Msg(
        message.id.bytes, message.ts, message.type, message.originator, message.customer_id, message.metadata,
        Body(message.data), queue, message.stored, where.stack, where.visited,
    )  # fmt: skip
    return msg, where


def continued(outcome: Emit, place: Position) -> Row:
    """The message as it leaves the node that had it wait."""
    return kept(outcome.msg, place._replace(relation=outcome.relation))
