"""Nodes whose work is outside of the database: calls, mails, other brokers (architecture.md 5).

In the engine such a node only says that a message waits, and for whom (`Suspend`). It is stored with the batch's COMMIT. An
`effects` worker takes it from there, has the node `perform` its work in an event loop, together with hundreds of others, and
puts the message back into the queue behind the node. It is done at least once: a worker that dies after the call and before
its COMMIT has the next one call again.
"""

import uuid
from collections.abc import Awaitable, Callable, Hashable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Protocol, TypeVar

from rules.node.base import EachNode
from rules.node.context import Context
from rules.node.message import Msg
from rules.node.outcome import Emit, Outcome, Suspend
from thingsboard.kernel.outgoing import Guard

R = TypeVar("R")


class TryAgain(Exception):
    """Nothing was done, and it may succeed a little later. After as many tries as the platform allows it is a failure."""

    def __init__(self, why: str, after_s: float = 0.0) -> None:
        """`why` is a sentence, for whoever reads the metadata; `after_s` 0: as the platform thinks."""
        super().__init__(why)
        self.why, self.after_s = why, after_s


class Outside(Protocol):
    """What an effects worker gives to the work of a node."""

    tenant_id: uuid.UUID
    key: uuid.UUID  # of this work, the same at each try: for receivers that know repetitions
    attempt: int  # from 1
    guard: Guard  # opens every connection, or says no
    slack_url: str  # of Slack's API, as TB_SLACK_URL has it, without a slash at its end

    def shared(
        self, key: Hashable, make: Callable[[], Awaitable[R]], close: Callable[[R], Awaitable[None]]
    ) -> AbstractAsyncContextManager[R]:
        """A client or connection that works of this tenant share: made when there is none of this key, closed when nobody has
        used it for a while, when its event loop ends, or when somebody leaves the block with an exception of his own making
        (`ConnectionError`, `OSError`). At most a bounded number live at a time.
        """
        ...

    async def system(self, name: str) -> Mapping[str, Any]:
        """Settings of the whole platform, such as "mail". Raises ValueError with a sentence where nobody made them."""
        ...


class OutsideNode(EachNode):
    """A node that works outside. `LONGEST_S` bounds one `perform`, whatever its configuration says."""

    SUSPENDS = True
    LONGEST_S: ClassVar[float] = 60.0

    def destination(self, msg: Msg) -> str:
        """Whom the message is for. Raises ValueError where it cannot be said; then it leaves by Failure."""
        raise NotImplementedError

    def preview(self, msg: Msg) -> dict[str, Any]:
        """What `perform` would do, as JSON, for a dry run: complete, but with secrets left out. Raises ValueError."""
        raise NotImplementedError

    async def perform(self, outside: Outside, msg: Msg) -> Emit:
        """Do it. Raises TryAgain where nothing was done; what else it raises is the message's Failure, with its text."""
        raise NotImplementedError

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """It waits."""
        return Suspend(msg, self.destination(msg))
