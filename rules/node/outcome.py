"""What becomes of a message at a node."""

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


# Each message has one outcome, or several at once; an empty tuple consumes it: it is done.
Outcome = Emit | Enter | Leave | tuple[Emit | Enter | Leave, ...]
CONSUMED: Outcome = ()
