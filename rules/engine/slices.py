"""One slice of a flow: taken, run and gone in one transaction (architecture.md 4, "Draining")."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

from django.db import transaction

from rules.engine.batch import AWAY, CONTENTION, Done, Runner
from rules.engine.in_line import culprit, has_tokens, run_in_line
from rules.engine.intake import Queued
from rules.engine.ledger import write_down
from rules.engine.strategies import Strategies, Strategy
from telemetry.fanout import fanout
from thingsboard.kernel import effects
from thingsboard.kernel.outbox import claims, kick
from thingsboard.kernel.outbox.claims import Flow, Head, Looks, Taken
from thingsboard.kernel.outbox.dead import Casualty, bury, bury_unreadable, put_off
from thingsboard.kernel.outbox.messages import Row, decode_rows

log = logging.getLogger(__name__)

MOST_CONTENTION_RETRIES = 5
# A row whose run was begun so often and never ended is suspected to end its worker: it goes in bites from then on.
SUSPECTED = 3
# A single message that was begun so often beyond that is buried.
GIVEN_UP = 3


class Slice(NamedTuple):
    """What a slice did: messages processed, and whether the flow may hold more to do now."""

    messages: int
    more: bool


class _Gone(Exception):
    """The rows are not all there any more: somebody else took them."""


class Slicer:
    """Of one thread and connection."""

    def __init__(self, looks: Looks, runner: Runner) -> None:
        self._looks, self._runner = looks, runner
        self._strategies = Strategies()

    def work(self, flow: Flow, most: int) -> Slice:
        """Work off up to `most` messages of the flow (at least one row). Raises AWAY's errors while the database is."""
        heads = self._claim(flow, most)
        if not heads:
            return Slice(0, False)
        suspect = next((number for number, head in enumerate(heads) if head.attempts >= SUSPECTED), None)
        if suspect == 0:
            return self._bite(flow, heads[0], suspected=True)
        if suspect is not None:
            heads = heads[:suspect]
        try:
            return self._whole(flow, heads)
        except Exception as error:
            self._uncount(heads)
            if isinstance(error, _Gone):
                return Slice(0, True)
            raise

    def _uncount(self, heads: Sequence[Head]) -> None:
        """Whatever it was, it did not end the worker. Where the database is away, the run counts."""
        try:
            claims.uncount(self._looks.connection, heads)
        except AWAY:
            log.info("%d runs count that came to nothing.", len(heads))

    def _claim(self, flow: Flow, most: int) -> list[Head]:
        with transaction.atomic():
            return self._looks.claim(flow, most) or []

    def _whole(self, flow: Flow, heads: Sequence[Head]) -> Slice:
        """Rows as a whole: at once, and only where that fails with care."""
        for careful in (*[False] * MOST_CONTENTION_RETRIES, True):
            try:
                return self._attempt(flow, heads, careful=careful)
            except CONTENTION as error:
                log.info("Contention, trying again: %s", error)
            except AWAY:
                raise
            except _Gone:
                raise
            except Exception as error:
                log.info("A batch is spoiled, looking for the culprit: %r", error)
                return self._attempt(flow, heads, careful=True)
        raise _Gone

    def _attempt(self, flow: Flow, heads: Sequence[Head], *, careful: bool) -> Slice:
        with transaction.atomic():
            rows = self._take(flow, heads)
            queued: Sequence[Queued] = [each for row in rows for each in self._queued(flow, row)]
            messages = len(queued)
            strategy = self._strategies.of(flow.queue)
            queued, done = self._run(flow, queued, strategy, careful=careful)
            in_order = bool(done.failed and strategy.retries and strategy.in_order)
            if in_order:
                transaction.set_rollback(True)
            else:
                self._part(flow, queued, done)
                write_down(self._looks.connection, flow.tenant_id, done.recordings)
        if in_order:
            return self._bite(flow, heads[0], failing=_first_in(rows[0], queued, done))
        self._after(done)
        return Slice(messages, True)

    def _run(
        self, flow: Flow, queued: Sequence[Queued], strategy: Strategy, *, careful: bool
    ) -> tuple[Sequence[Queued], Done]:
        """What became of messages, and which those were: some may have to stand in line, and others come from there."""
        run = self._runner.run_carefully if careful else self._runner.run
        if not strategy.in_order and not has_tokens(queued):
            return queued, run(flow.tenant_id, flow.queue, queued)
        return run_in_line(self._looks.connection, self._runner, run, flow, queued, strategy)

    def _queued(self, flow: Flow, row: Taken) -> list[Queued]:
        """The messages of a row that is going; one that says nothing that is understood leaves a dead letter alone."""
        try:
            return _messages(row)
        except (ValueError, TypeError) as error:
            log.error("A row of the queue cannot be read: %s", error)
            bury_unreadable(self._looks.connection, flow.tenant_id, flow.queue, row.body, f"It cannot be read: {error}")
            return []

    def _take(self, flow: Flow, heads: Sequence[Head]) -> list[Taken]:
        rows = claims.take(self._looks.connection, heads) if claims.lock(self._looks.connection, flow.id) else None
        if rows is None:
            raise _Gone
        return rows

    def _part(self, flow: Flow, queued: Sequence[Queued], done: Done) -> None:
        """From those that failed: those that are tried again are put off, the others are buried."""
        strategy = self._strategies.of(flow.queue)
        dead: list[Casualty] = []
        again: dict[int, list[Row]] = {}
        for number, why in sorted(done.failed.items()):
            each = queued[number]
            tried = each.retries
            if strategy.retries < 0 or tried < strategy.retries:
                again.setdefault(tried, []).append(each.again(why))
            else:
                dead.append(Casualty(each.again(why), each.key(), why.error, why.chain, why.node, tried + 1))
        connection, appender = self._looks.connection, self._runner.tools.appender
        for tried, rows in sorted(again.items()):
            pause = strategy.pause(tried)
            put_off(connection, appender, flow.tenant_id, flow.queue, rows, retries=tried + 1, pause_s=pause)
        if dead:
            bury(connection, flow.tenant_id, flow.queue, dead)

    def _bite(self, flow: Flow, head: Head, *, failing: int | None = None, suspected: bool = False) -> Slice:
        """A part of one row, which stays until all of it is processed: because it is suspected, or because its message
        number `failing` (of those that are left) failed and everything behind it has to wait.
        """
        with transaction.atomic():
            connection = self._looks.connection
            row = claims.hold(connection, head) if claims.lock(connection, flow.id) else None
            if row is None:
                return Slice(0, True)
            queued = _messages(row)
            total = row.done + len(queued)
            size = max(1, len(queued) >> max(1, row.attempts - SUSPECTED)) if suspected else failing or 1
            bite: Sequence[Queued] = queued[:size]
            messages = len(bite)
            strategy = self._strategies.of(flow.queue)
            if suspected and size == 1 and row.attempts > SUSPECTED + len(queued).bit_length() + GIVEN_UP:
                done = Done({}, [])
                why = f"The message ended its worker, or its run never came to an end, {row.attempts} times."
                blamed = culprit(connection, self._runner, flow, bite[0])
                if blamed is not None:
                    bury(connection, flow.tenant_id, flow.queue, [Casualty(blamed.kept(), blamed.key(), why)])
            else:
                bite, done = self._run(flow, bite, strategy, careful=True)
            waits = strategy.in_order and done.failed and (strategy.retries < 0 or row.retries < strategy.retries)
            if waits:
                transaction.set_rollback(True)
            else:
                self._part_in_order(flow, bite, done, row.retries + 1)
                attempts = SUSPECTED if suspected else 0
                claims.bitten(connection, row, row.done + messages, total, attempts=attempts)
                write_down(connection, flow.tenant_id, done.recordings)
        if waits:
            return self._wait(flow, head, row, bite, done, strategy.pause(row.retries))
        self._after(done)
        return Slice(messages, True)

    def _part_in_order(self, flow: Flow, bite: Sequence[Queued], done: Done, tried: int) -> None:
        dead = [
            Casualty(bite[number].again(why), bite[number].key(), why.error, why.chain, why.node, tried)
            for number, why in sorted(done.failed.items())
        ]
        if dead:
            bury(self._looks.connection, flow.tenant_id, flow.queue, dead)

    def _wait(self, flow: Flow, head: Head, taken: Taken, bite: Sequence[Queued], done: Done, pause_s: float) -> Slice:
        """The first message that failed holds up its lane for a while; what stands before it is processed first."""
        first = min(bite[number].number for number in done.failed) - taken.done
        if first:
            return self._bite(flow, head, failing=first)
        with transaction.atomic():
            connection = self._looks.connection
            row = claims.hold(connection, head) if claims.lock(connection, flow.id) else None
            if row is not None:
                total = row.done + len(_messages(row))
                claims.bitten(connection, row, row.done, total, retries=row.retries + 1, pause_s=pause_s)
                # Its effects are undone, but why it waits is what somebody who debugs it wants to know.
                write_down(connection, flow.tenant_id, done.recordings if len(bite) == 1 else ())
        return Slice(0, False)

    def _after(self, done: Done) -> None:
        """What may be told now that it is committed."""
        self._runner.tools.appender.committed()
        for ctx in done.contexts:
            ctx.firsts.committed()
            ctx.memory.committed()
            ctx.deeds.committed()
            news = ctx.values.live()
            if news:
                fanout.committed(news, {})
            if gone := ctx.values.gone():
                fanout.tell(gone)
            if ctx.lanes:
                kick(ctx.lanes)
            if ctx.work_outside:
                effects.kick()


def _messages(row: Taken) -> list[Queued]:
    rows = decode_rows(row.body)
    return [Queued(row.id, index, rows[index], row.appended, row.retries) for index in range(row.done, len(rows))]


def _first_in(row: Taken, queued: Sequence[Queued], done: Done) -> int:
    """How many messages of this row, the first one of the slice, stand before the first one that failed."""
    failed = [queued[number].number for number in done.failed if queued[number].row_id == row.id]
    return (min(failed) if failed else len(decode_rows(row.body))) - row.done


__all__ = ["Slice", "Slicer"]
