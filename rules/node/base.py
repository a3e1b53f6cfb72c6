"""The base classes of nodes. A node is a class in a file under rules/nodes/<family>/: everything about it derives from that
class (the registry, the API's component descriptors, the palette, the reference page).
"""

import enum
from collections.abc import Sequence
from typing import Any, ClassVar

from rules.node.config import Config, NoConfig
from rules.node.context import Context
from rules.node.later import Tick
from rules.node.message import Msg
from rules.node.outcome import Outcome


class Category(enum.StrEnum):
    """ThingsBoard's families of nodes."""

    FILTER = "FILTER"
    ENRICHMENT = "ENRICHMENT"
    TRANSFORMATION = "TRANSFORMATION"
    ACTION = "ACTION"
    EXTERNAL = "EXTERNAL"
    FLOW = "FLOW"


# What a chain can change, and a node can read or write: the names used in `READS` and `WRITES`.
TELEMETRY, ATTRIBUTES, ALARMS, RELATIONS, ENTITIES = "telemetry", "attributes", "alarms", "relations", "entities"
STATES = frozenset({TELEMETRY, ATTRIBUTES, ALARMS, RELATIONS, ENTITIES})


class Node:
    """A node that takes all messages of a batch that arrived at it, in order. One instance serves a version of its chain.

    `READS` and `WRITES` name the state it touches (`STATES`); a node with neither is pure. Where some node of a chain reads
    what another one writes, the engine hands both one message per originator at a time (architecture.md 5, "waves").
    """

    TYPE: ClassVar[str]  # ThingsBoard's Java class
    NAME: ClassVar[str]
    CATEGORY: ClassVar[Category]
    RELATIONS: ClassVar[tuple[str, ...]] = ("Success",)  # Failure is everybody's
    CUSTOM_RELATIONS: ClassVar[bool] = False
    VERSION: ClassVar[int] = 0  # configurationVersion
    CONFIG: ClassVar[type[Config]] = NoConfig
    CONFIG_DIRECTIVE: ClassVar[str] = "tbNodeEmptyConfig"
    ICON: ClassVar[str] = ""
    HAS_QUEUE_NAME: ClassVar[bool] = False
    IN_ENABLED: ClassVar[bool] = True
    OUT_ENABLED: ClassVar[bool] = True
    CLUSTERING: ClassVar[str] = "ENABLED"
    RULE_CHAIN_NODE: ClassVar[bool] = False  # it stands for another chain
    CHAIN_TYPES: ClassVar[tuple[str, ...]] = ("CORE", "EDGE")
    WAKES: ClassVar[frozenset[str]] = frozenset()  # types of messages by which it is woken (`ctx.later.wake`)
    SUSPENDS: ClassVar[bool] = False  # it has messages wait for work outside (Suspend)
    READS: frozenset[str] = frozenset()  # of the class; an instance whose configuration wants less may say so
    WRITES: frozenset[str] = frozenset()
    # Of the messages of a batch it sees by itself what the ones before have caused: where nobody else touches what it does,
    # it is handed all of them at once.
    IN_ORDER: ClassVar[bool] = False

    def __init__(self, config: Any, name: str = "") -> None:
        """`config` is of the class's CONFIG, `name` what people call this node. Raises ValueError where it cannot work."""
        self.config = config
        self.name = name
        self.queue_name = ""  # of the queue into which it puts messages (HAS_QUEUE_NAME); "": that in which they come

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """The outcome of each message, in the order of the messages. What it raises fails the one message that is to blame:
        the engine finds it by handing them over one by one.
        """
        raise NotImplementedError

    def begins(self, now: int) -> Tick | None:
        """For a node that ticks from its beginning: when it is first woken. Asked when its chain is saved (`now` in ms)."""
        return None

    def leaves_by(self, type: str) -> str | None:
        """The label by which every message of that type leaves, whatever else it says; None where more than its type counts.

        With `stored_by_ingest` this is what ingest plans are derived from (architecture.md 4, "Ingest plan").
        """
        return None

    def stored_by_ingest(self, type: str) -> bool:
        """Whether the node does nothing with a device's own message of that type but store it as it came: then ingest may."""
        return False

    def calls(self) -> tuple[bytes, ...]:
        """The chains (16 bytes) that messages may enter from here; b"" for the originator's own."""
        return ()

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """The saved configuration `raw` of an older `version` as one of VERSION. What is there is not changed."""
        return raw

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """The configuration of a new node."""
        return {**cls.CONFIG().saved(), **cls.CONFIG.NEW}

    @classmethod
    def description(cls) -> str:
        """One sentence: the first paragraph of the class's docstring."""
        return (cls.__doc__ or "").strip().split("\n\n")[0].replace("\n    ", " ")

    @classmethod
    def details(cls) -> str:
        """The rest of the class's docstring."""
        _, _, rest = (cls.__doc__ or "").strip().partition("\n\n")
        return rest.replace("\n    ", "\n").strip()


class EachNode(Node):
    """A node that looks at one message at a time."""

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """The outcome of a message."""
        raise NotImplementedError

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """One after the other."""
        one = self.one
        return [one(ctx, msg) for msg in messages]
