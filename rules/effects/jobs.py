"""From claimed work to the node that does it, and from what that says to what becomes of the message."""

import asyncio
import logging
import uuid
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from rules.engine.chains import ChainCache, TenantChains
from rules.engine.continuing import continued, message_of
from rules.engine.graph import Broken
from rules.node import Emit, Msg, Outside, OutsideNode, TryAgain
from thingsboard.kernel.effects import Claimed, Result, Unreadable
from thingsboard.kernel.errors import PlatformError
from thingsboard.kernel.outbox import Position, decode_rows
from thingsboard.kernel.outbox.dead import Casualty

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Work that can be tried: the message, where it waits, and the node there; `why` the node cannot work instead."""

    claimed: Claimed
    msg: Msg
    place: Position
    node: OutsideNode | None
    why: str = ""


class Again(NamedTuple):
    """It is tried again after so many seconds; 0: as the platform thinks."""

    after_s: float


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of claimed work. `kind` is what it counts as (kernel.effects.counts)."""

    claimed: Claimed
    kind: str
    outcome: Result | Again


def prepare(claimed: Claimed, cache: ChainCache, chains: dict[uuid.UUID, TenantChains]) -> Job | Ended:
    """Find the node in the present version of its chain; `chains` remembers those of tenants for one claim. Asks the
    database. Where there is no such node any more, the message is dead.
    """
    try:
        (row,) = decode_rows(claimed.body)
        msg, place = message_of(row, claimed.queue)
    except (ValueError, TypeError, msgspec.MsgspecError) as error:
        return _buried(claimed, Unreadable(claimed.body, f"It cannot be read: {error}"))
    known = chains.get(claimed.tenant_id)
    if known is None:
        known = chains[claimed.tenant_id] = cache.of(claimed.tenant_id)
    graph = known.graph(place.chain)
    index = None if graph is None else graph.by_id.get(place.node)
    if graph is None or index is None:
        what = "rule node" if graph is not None else "rule chain of the node"
        why = f"The {what} that was to work for the message outside is gone."
    else:
        node = graph.places[index].node
        if isinstance(node, OutsideNode):
            return Job(claimed, msg, place, node)
        if isinstance(node, Broken):
            return Job(claimed, msg, place, None, node.why)
        why = f"The rule node that was to work for the message outside is a {node.NAME!r} now, which does not."
    return _buried(claimed, Casualty(row, msg.key, why, place.chain, place.node, claimed.attempts))


async def perform(job: Job, outside: Outside, most_attempts: int) -> Ended:
    """Try it, for as long as its node may take. Raises CancelledError alone: then nothing became of it."""
    claimed, msg = job.claimed, job.msg
    if job.node is None:
        return _failed(job, job.why)
    if claimed.attempts > most_attempts:
        return _failed(job, f"The work outside was begun {most_attempts} times and never came to an end.")
    try:
        async with asyncio.timeout(job.node.LONGEST_S) as limit:
            emit = await job.node.perform(outside, msg)
        return _goes_on(job, emit)
    except TryAgain as error:
        if claimed.attempts < most_attempts:
            return Ended(claimed, "put_off", Again(error.after_s))
        return _failed(job, error.why or "The work outside did not succeed.")
    except TimeoutError as error:
        if limit.expired():
            return _failed(job, f"The work outside took longer than {job.node.LONGEST_S:g} s.")
        return _failed(job, str(error) or "The work outside took too long.")
    except Exception as error:
        if not isinstance(error, ValueError | OSError | PlatformError):
            log.exception("The rule node %r (%s) failed outside.", job.node.name, type(job.node).__name__)
        return _failed(job, str(error) or type(error).__name__)


def _failed(job: Job, why: str) -> Ended:
    return _goes_on(job, Emit.failure(job.msg, why.replace("\0", "")))


def _goes_on(job: Job, emit: Emit) -> Ended:
    claimed = job.claimed
    row = continued(emit, job.place)
    result = Result(claimed.id, claimed.lease, claimed.tenant_id, claimed.queue, row)
    return Ended(claimed, "failed" if emit.relation == "Failure" else "done", result)


def _buried(claimed: Claimed, outcome: Casualty | Unreadable) -> Ended:
    return Ended(claimed, "dead", Result(claimed.id, claimed.lease, claimed.tenant_id, claimed.queue, outcome))


def spoiled(ended: Ended, error: Exception) -> Ended:
    """What became of it cannot be written: all that is left is a dead letter of the bytes."""
    why = f"What became of the work outside cannot be written: {type(error).__name__}"
    return _buried(ended.claimed, Unreadable(ended.claimed.body, why))
