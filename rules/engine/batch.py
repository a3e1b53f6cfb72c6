"""Runs messages of one tenant and queue in an open transaction: all at once, and where some spoil the others, in halves."""

import logging
import time
import uuid
from collections.abc import Sequence
from typing import NamedTuple

from django.conf import settings
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError, transaction
from psycopg import errors

from alarms.services.bulk import AlarmRace
from rules.engine.chains import ChainCache
from rules.engine.context import BatchContext
from rules.engine.intake import Queued, starts
from rules.engine.recording import Recording, Recordings
from rules.engine.run import Failed, Run
from rules.engine.tools import Tools

log = logging.getLogger(__name__)

# Somebody else was in the way: the same messages may succeed in another transaction.
CONTENTION = (AlarmRace, errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)
# The database itself cannot be used: nothing is wrong with the messages.
AWAY = (errors.OperationalError, errors.InterfaceError, OperationalError, InterfaceError)
# The data was at fault.
FAULTS = (
    errors.DataError,
    errors.IntegrityError,
    errors.ProgramLimitExceeded,
    DataError,
    IntegrityError,
    DatabaseError,
)


class Done(NamedTuple):
    """What became of messages: those that failed, by number, the contexts whose effects go out after the commit, and what was
    written down of it.
    """

    failed: dict[int, Failed]
    contexts: list[BatchContext]
    recordings: Sequence[Recording] = ()


class Runner:
    """Of one thread and connection."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self._chains = ChainCache()
        self._recordings = Recordings()

    def may_suspend(self, tenant_id: uuid.UUID) -> bool:
        """Whether some node of the tenant's chains has messages wait."""
        return self._chains.of(tenant_id).may_suspend()

    def context(self, tenant_id: uuid.UUID, lanes: set[int]) -> BatchContext:
        """That of a batch in which nothing ran, but these lanes are to be kicked."""
        ctx = BatchContext(self.tools, tenant_id)
        ctx.lanes |= lanes
        return ctx

    def run(
        self, tenant_id: uuid.UUID, queue: str, queued: Sequence[Queued], earlier: Sequence[BatchContext] = ()
    ) -> Done:
        """All of them at once, their effects written in the open transaction, in which `earlier` ones were before. Raises
        whatever the database raises: then nothing of it may be committed.
        """
        ctx = BatchContext(self.tools, tenant_id, earlier)
        failed, recordings = self._go(ctx, queue, queued, alone=False)
        _flush(ctx, recordings)
        return Done(failed, [ctx], recordings)

    def run_carefully(
        self,
        tenant_id: uuid.UUID,
        queue: str,
        queued: Sequence[Queued],
        first: int = 0,
        earlier: Sequence[BatchContext] = (),
    ) -> Done:
        """In order, each part in a savepoint of its own, halved until what spoils it stands alone; that one runs once more, and
        what the database refuses is the failure of the node that wanted it. `first` is the number of the first message.
        """
        if not queued:
            return Done({}, [], [])
        if len(queued) == 1:
            return self._alone(tenant_id, queue, queued, first, earlier)
        try:
            with transaction.atomic():
                done = self.run(tenant_id, queue, queued, earlier)
        except (*CONTENTION, *AWAY) as error:
            if not isinstance(error, errors.ProgramLimitExceeded):
                raise
        except Exception as error:
            log.info("Part of a batch is spoiled: %s", error)
        else:
            return done._replace(failed={first + number: why for number, why in done.failed.items()})
        half = len(queued) // 2
        one = self.run_carefully(tenant_id, queue, queued[:half], first, earlier)
        other = self.run_carefully(tenant_id, queue, queued[half:], first + half, [*earlier, *one.contexts])
        recordings = [*one.recordings, *other.recordings]
        return Done({**one.failed, **other.failed}, one.contexts + other.contexts, recordings)

    def _alone(
        self,
        tenant_id: uuid.UUID,
        queue: str,
        queued: Sequence[Queued],
        number: int,
        earlier: Sequence[BatchContext],
    ) -> Done:
        ctx = BatchContext(self.tools, tenant_id, earlier)
        recordings: list[Recording] = []
        try:
            with transaction.atomic():
                failed, recordings = self._go(ctx, queue, queued, alone=True)
                _flush(ctx, recordings)
        except (*CONTENTION, *AWAY) as error:
            if not isinstance(error, errors.ProgramLimitExceeded):
                raise
            return _spoiled(number, error, recordings)
        except Exception as error:
            log.error("A message of tenant %s spoils its batch.", tenant_id, exc_info=not isinstance(error, FAULTS))
            return _spoiled(number, error, recordings)
        return Done(dict.fromkeys([number], failed[0]) if failed else {}, [ctx], recordings)

    def _go(
        self, ctx: BatchContext, queue: str, queued: Sequence[Queued], *, alone: bool
    ) -> tuple[dict[int, Failed], list[Recording]]:
        chains = self._chains.of(ctx.tenant_id)
        known = [each for each in queued if each.tried or each.order or len(each.row) > 9]  # most were never anywhere
        ctx.retries = {each.message_id(): each.retries for each in known}
        ctx.orders = {each.message_id(): each.order for each in known if each.order}
        begun, origin, failed = starts(queued, queue, ctx.entities, chains)
        recording = self._recordings.of(ctx.tenant_id, queue, queued, chains, begun, origin)
        if begun:
            run = Run(
                ctx,
                chains,
                most_nodes=settings.TB_RULE_MAX_NODES_PER_MESSAGE,
                recorder=recording,
                settle=(lambda: _settle(ctx)) if alone else None,
            )
            failed.update({origin[number]: why for number, why in run.go(begun).items()})
        if recording is None:
            return failed, []
        recording.ended(failed)
        return failed, [recording]


def _flush(ctx: BatchContext, recordings: Sequence[Recording]) -> None:
    began = time.perf_counter()
    ctx.flush()
    for recording in recordings:
        recording.wrote(time.perf_counter() - began)


def _spoiled(number: int, error: BaseException, recordings: Sequence[Recording]) -> Done:
    """Nothing of the message is left but why, and how it got there."""
    why = Failed(_sentence(error))
    for recording in recordings:
        recording.ended({0: why})
    return Done({number: why}, [], recordings)


def _settle(ctx: BatchContext) -> str:
    """Write what the node wanted now; why the database refuses it, else ""."""
    try:
        with transaction.atomic():
            ctx.write()
    except (*CONTENTION, *AWAY) as error:
        if not isinstance(error, errors.ProgramLimitExceeded):
            raise
        ctx.forget()
        return _sentence(error)
    except FAULTS as error:
        ctx.forget()
        return _sentence(error)
    return ""


def _sentence(error: BaseException) -> str:
    """The first line of what the database said, which names no other tenant's data."""
    if not isinstance(error, (*FAULTS, *CONTENTION, *AWAY)):
        return f"The message cannot be processed: {type(error).__name__}"
    diagnosis = getattr(error, "diag", None) or getattr(error.__cause__, "diag", None)
    return f"The database refuses it: {getattr(diagnosis, 'message_primary', None) or type(error).__name__}"
