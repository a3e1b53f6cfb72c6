"""What the nodes that route by the name of a profile have in common."""

from collections.abc import Sequence
from typing import ClassVar

from rules.node.base import ENTITIES, Category, Node
from rules.node.context import Context
from rules.node.entity_types import LABELS
from rules.node.message import Msg
from rules.node.outcome import Emit, Outcome
from thingsboard.kernel.ids import EntityType


class ProfileSwitch(Node):
    """A node that routes messages of one kind of entity by the name of its profile; others leave by Failure."""

    CATEGORY = Category.FILTER
    RELATIONS = ("default",)
    CUSTOM_RELATIONS = True
    READS = frozenset({ENTITIES})
    OF: ClassVar[EntityType]

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All originators are looked up at once."""
        wanted = {msg.originator for msg in messages if msg.originator.type is self.OF}
        known = ctx.describe(wanted) if wanted else {}
        mine = LABELS[self.OF]
        outcomes: list[Outcome] = []
        for msg in messages:
            originator = known.get(msg.originator)
            if originator is not None:
                outcomes.append(Emit(originator.type, msg))
            elif msg.originator.type is self.OF:
                error = f"{mine} profile for entity id: {msg.originator.id} wasn't found!"
                outcomes.append(Emit.failure(msg, error))
            else:
                label = LABELS[msg.originator.type]
                error = f"Unsupported originator type: {label}! Only {mine} type is allowed."
                outcomes.append(Emit.failure(msg, error))
        return outcomes
