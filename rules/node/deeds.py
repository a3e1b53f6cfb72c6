"""The deeds of nodes: what they change besides values and alarms, done at once inside the batch's transaction.

A deed happens as a whole or raises with nothing done, what is read afterwards sees it, and it counts with the batch's COMMIT.
As a node whose `run` raises gets its messages again one by one, a node with deeds is a `rules.node.deed_node.DeedNode`: it
takes one message at a time, and what a deed raises is that message's Failure.
"""

import enum
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

from rules.node.message import Body
from telemetry.points import Scope
from thingsboard.kernel.ids import EntityId, EntityType


class Target(NamedTuple):
    """An entity of the tenant by its name (of customers and dashboards the title, of users the email; the tenant has none).
    `create` makes it where there is none: a customer, a device or an asset, the last two of the profile `profile`.
    """

    type: EntityType
    name: str = ""
    profile: str = ""
    create: bool = False


class ViewKeys(NamedTuple):
    """What an entity view shows of attributes, by scope, from and until when (ms, 0: no end)."""

    view: EntityId
    keys: Mapping[Scope, frozenset[str]]
    start_ts: int
    end_ts: int


class Sign(enum.StrEnum):
    """What can be said of a device's connectivity, by the types of the events that follow."""

    CONNECT = "CONNECT_EVENT"
    DISCONNECT = "DISCONNECT_EVENT"
    ACTIVITY = "ACTIVITY_EVENT"
    INACTIVITY = "INACTIVITY_EVENT"


class Deeds(Protocol):
    """All raise ValueError or PlatformError with a sentence. `announce`: whether the rules hear that an entity was made
    (`deed_node.tells` says when); of what else a node does they do not hear, as in ThingsBoard.
    """

    def assign(self, entity: EntityId, customer: Target, *, announce: bool) -> None:
        """Assign an entity to a customer, instead of the one that had it (a dashboard: as well)."""
        ...

    def unassign(self, entity: EntityId, customer: Target | None) -> None:
        """Take an entity from its customer, if it has one; a dashboard from the one that is named."""
        ...

    def relate(
        self, entity: EntityId, direction: str, type: str, target: Target, *, replace: bool, announce: bool
    ) -> EntityId:
        """Relate an entity to (FROM) the target, or the target to it (TO), if it is not; `replace`: all its relations of
        that type in that direction go first. Returns the target.
        """
        ...

    def unrelate(self, entity: EntityId, direction: str, type: str, target: Target | None) -> None:
        """Take the relation to the target back, or all of the type in the direction; one that is not there counts for
        nothing.
        """
        ...

    def signal(self, device: EntityId, sign: Sign, ts: int) -> bool:
        """Say of a device what its transport would, as of `ts` (ms); False, and nothing happens: too often."""
        ...

    def delete_attributes(
        self,
        entity: EntityId,
        scope: Scope,
        keys: Collection[str],
        *,
        notify_device: bool = False,
        announce: bool = False,
    ) -> None:
        """Remove attributes; those that are not there count for nothing. `announce` has an ATTRIBUTES_DELETED message go
        through the rules. Effects as those of `Context.save_attributes`, in the same order.
        """
        ...

    def views(self, entities: Collection[EntityId]) -> Mapping[EntityId, Sequence[ViewKeys]]:
        """The entity views of all the entities, in the order in which they were made."""
        ...

    def answer_call(self, service: str, request: uuid.UUID, body: Body) -> None:
        """Answer who waits at POST /api/rule-engine/..., once the batch is committed. May be lost."""
        ...

    def answer_device(self, device: EntityId, service: str, session: uuid.UUID, request: int, body: Body) -> None:
        """Answer a device that asked by RPC, once the batch is committed. May be lost."""
        ...
