"""What becomes of a message at a node."""

import uuid
from typing import NamedTuple

from rules.node.message import Msg

SUCCESS = "Success"
FAILURE = "Failure"
TRUE = "True"
FALSE = "False"


class Emit(NamedTuple):
    """It leaves by every connection of that label (compared without case). `error` says why a Failure is one."""

    relation: str
    msg: Msg
    error: str = ""

    @classmethod
    def failure(cls, msg: Msg, error: str) -> "Emit":
        """It leaves by Failure; as in ThingsBoard the metadata tells why."""
        return cls(FAILURE, msg.with_metadata(error=error), error)


class Enter(NamedTuple):
    """It goes on at the beginning of another chain (16 bytes, b"" for the one that the originator's profile names, and
    `fallback` where it names none); what that one's outputs say becomes the label by which it leaves this node.
    """

    chain: bytes
    msg: Msg
    fallback: bytes = b""


class Leave(NamedTuple):
    """It goes back to the chain that called this one, where it leaves the calling node by that label."""

    relation: str
    msg: Msg


class Suspend(NamedTuple):
    """It waits until the node's work outside is done (rules.node.outside): then it leaves this node as that work says.

    `destination` is what the work is sent to, such as "https://host:443": no more than a bounded part of a tenant's work goes
    to one destination at the same time. Order of the messages of an originator holds beyond it in sequential queues alone.
    """

    msg: Msg
    destination: str


class Wait(NamedTuple):
    """It waits until `due` (ms), then leaves this node by that label; unless whoever knows `key` answers it before, once
    (devices.services.answers): then it leaves as the answer says.

    It goes on in the queue that `msg` names. With `AT_ONCE`, or a time that has passed, it only goes to the end of that one.
    """

    msg: Msg
    due: int
    relation: str = SUCCESS
    key: uuid.UUID | None = None


AT_ONCE = 0

# What becomes of a message in the engine itself, and what has it wait outside of it.
Going = Emit | Enter | Leave | Suspend | Wait
# Each message has one outcome, or several at once; an empty tuple consumes it: it is done.
Outcome = Going | tuple[Going, ...]
CONSUMED: Outcome = ()
