"""Order beyond suspension, for queues that keep the order of their originators (architecture.md 1, promise 3).

While a message of an originator waits for work outside, its later ones stand in line behind it: rows of kernel.effects with
the same `order_key`. What finishes there goes on from there, too. The queue only carries a token, which says that the head of a
line may go on; whoever drains the lane then takes messages from the line until one of them waits again. All that happens under
the lock of the lane, so nobody else moves the line meanwhile.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg

from rules.engine.batch import Done, Runner
from rules.engine.intake import Queued
from rules.engine.strategies import Strategy
from thingsboard.kernel.effects import line
from thingsboard.kernel.effects.line import Standing
from thingsboard.kernel.outbox import Row, decode_rows
from thingsboard.kernel.outbox.claims import Flow
from thingsboard.kernel.outbox.dead import Casualty, bury, bury_unreadable

Connection = psycopg.Connection[Any]
RunBatch = Callable[..., Done]  # Runner.run, Runner.run_carefully


class _Turn(NamedTuple):
    """A message that may run when those before it in its line are done; `standing`: it is stored there."""

    each: Queued
    standing: Standing | None


@dataclass(slots=True)
class _Lines:
    """Of one batch, by key: whose messages may run, what is to be parked, which stored ones have run."""

    turns: dict[int, deque[_Turn]] = field(default_factory=dict)
    parked: list[Queued] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    again: list[tuple[int, Row, float]] = field(default_factory=list)  # work to be done again, after so many seconds
    dead: list[Casualty] = field(default_factory=list)
    called: set[int] = field(default_factory=set)


def run_in_line(
    connection: Connection, runner: Runner, run: RunBatch, flow: Flow, queued: Sequence[Queued], strategy: Strategy
) -> tuple[Sequence[Queued], Done]:
    """Run what may run of these messages, in the open transaction that holds their lane; which those were, and what became of
    them. The others are kept in line. Work that failed is done again in its place, as often as the queue tries again.
    """
    keys = [line.key_of_token(each.row) or line.key(flow.tenant_id, flow.queue, each.row[2]) for each in queued]
    held = line.heads(connection, set(keys))
    if not held and not runner.may_suspend(flow.tenant_id):
        real = [each for each in queued if line.key_of_token(each.row) is None]
        return real, run(flow.tenant_id, flow.queue, real)
    lines = _line_up(connection, flow, queued, keys, held)
    ran: list[Queued] = []
    done = Done({}, [])
    while lines.turns:
        wave = [(key, turns.popleft()) for key, turns in lines.turns.items()]
        batch = [turn.each for _, turn in wave]
        part = run(flow.tenant_id, flow.queue, batch, earlier=done.contexts)
        _step(lines, wave, part, strategy)
        failed = {len(ran) + number: why for number, why in part.failed.items()}
        done = Done({**done.failed, **failed}, done.contexts + part.contexts, [*done.recordings, *part.recordings])
        ran += batch
    line.leave(connection, lines.gone)
    line.work_again(connection, lines.again)
    if lines.dead:
        bury(connection, flow.tenant_id, flow.queue, lines.dead)
    stored = [(each.order or (0, 0), each.kept()) for each in lines.parked]
    line.park(connection, flow.tenant_id, flow.queue, stored)
    lanes = _call_heads(connection, runner, flow, lines.called)
    if lanes:
        done.contexts.append(runner.context(flow.tenant_id, lanes))
    return ran, done


def has_tokens(queued: Sequence[Queued]) -> bool:
    """Whether some row of the queue holds tokens; a row holds nothing else then."""
    row_id = None
    for each in queued:
        if each.row_id != row_id:
            if line.key_of_token(each.row) is not None:
                return True
            row_id = each.row_id
    return False


def culprit(connection: Connection, runner: Runner, flow: Flow, each: Queued) -> Queued | None:
    """Whom to blame where running `each` ends its worker: itself, or the first of its line, which leaves it."""
    key = line.key_of_token(each.row)
    if key is None:
        return each
    heads = line.heads(connection, {key}, most=1).get(key, [])
    if not heads or not heads[0].parked:
        return None
    line.leave(connection, [heads[0].id])
    _call_heads(connection, runner, flow, {key})
    (row,) = decode_rows(heads[0].body)
    return each._replace(row=row)


def _line_up(
    connection: Connection,
    flow: Flow,
    queued: Sequence[Queued],
    keys: Sequence[int],
    held: dict[int, list[Standing]],
) -> _Lines:
    lines = _Lines()
    first = line.number(connection) if queued else 0
    free: set[int] = set()  # lines of which everything runs in this batch
    for index, (each, key) in enumerate(zip(queued, keys, strict=True)):
        if line.key_of_token(each.row) is None:
            mine = each._replace(order=(key, first + index))
            if key not in held or key in free:
                lines.turns.setdefault(key, deque()).append(_Turn(mine, None))
            else:
                lines.parked.append(mine)
        elif key not in lines.called:
            lines.called.add(key)
            heads = held.get(key, [])
            for number, standing in enumerate(heads):
                if not standing.parked or number >= line.MOST_AT_ONCE:
                    break
                row = _row(connection, flow, standing, lines)
                if row is None:
                    continue
                own = each._replace(row=row, tried=0, order=(key, standing.order_no))
                lines.turns.setdefault(key, deque()).append(_Turn(own, standing))
            else:
                free.add(key)
    return lines


def _row(connection: Connection, flow: Flow, standing: Standing, lines: _Lines) -> Row | None:
    """The message that stands there; one that says nothing that is understood is put aside."""
    try:
        (row,) = decode_rows(standing.body)
    except ValueError as error:
        bury_unreadable(connection, flow.tenant_id, flow.queue, standing.body, f"It cannot be read: {error}")
        lines.gone.append(standing.id)
        return None
    return row


def _step(lines: _Lines, wave: Sequence[tuple[int, _Turn]], part: Done, strategy: Strategy) -> None:
    """After a wave: who waits again holds up his line, who is done makes way. Failures that are no more are taken out."""
    waiting = {message for ctx in part.contexts for message in ctx.waiting}
    for number, (key, turn) in enumerate(wave):
        each, standing, why = turn.each, turn.standing, part.failed.get(number)
        tried = each.retries
        stops = each.message_id() in waiting
        if standing is not None and why and each.came_back_failed(why):
            # The lane need not wait for it, because its line does.
            del part.failed[number]
            if strategy.retries < 0 or tried < strategy.retries:
                lines.again.append((standing.id, each.at_its_node(why, tried + 1), strategy.pause(tried)))
                standing, stops = None, True
            else:
                lines.dead.append(Casualty(each.again(why), each.key(), why.error, why.chain, why.node, tried + 1))
        if standing is not None:
            lines.gone.append(standing.id)
        if stops:
            lines.parked += [turn.each for turn in lines.turns[key] if turn.standing is None]
        if stops or not lines.turns[key]:
            del lines.turns[key]


def _call_heads(connection: Connection, runner: Runner, flow: Flow, called: set[int]) -> set[int]:
    """Tokens for the lines that were called, and whose heads can go on again."""
    ready = [key for key, heads in line.heads(connection, called, most=1).items() if heads[0].parked]
    rows = [line.token(key) for key in sorted(ready)]
    return runner.tools.appender.append(connection, flow.tenant_id.bytes, rows, flow.queue)
