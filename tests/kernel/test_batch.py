"""The Batcher: batches, order, bounds, culprits, a store that goes away."""

import asyncio
import threading
from collections.abc import Callable, Sequence

import pytest

from thingsboard.kernel import batch as batch_module
from thingsboard.kernel.batch import Batcher, Refused, Unavailable


class Recorder:
    """A sink that keeps what it commits, refuses what it is told to, and can be held back or be unavailable."""

    def __init__(self) -> None:
        self.transactions: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.failures: list[Exception] = []
        self.poison: set[str] = set()

    def prepare(self, messages: Sequence[str]) -> tuple[list[str], list[int], dict[int, Refused]]:
        good = [(index, message) for index, message in enumerate(messages) if not message.startswith("bad")]
        refused = {
            index: Refused("payload", "It is bad.")
            for index, message in enumerate(messages)
            if message.startswith("bad")
        }
        return [message for _, message in good], [index for index, _ in good], refused

    def commit(self, units: Sequence[str]) -> dict[int, Refused]:
        self.entered.set()
        assert self.gate.wait(10)
        if self.failures:
            raise self.failures.pop()
        if self.poison.intersection(units):
            raise ValueError("poison")
        self.transactions.append(list(units))
        return {index: Refused("late", "Refused at commit.") for index, unit in enumerate(units) if unit == "late"}

    def close(self) -> None:
        pass


class Bench:
    """A batcher of one or more recorders, and what it settled."""

    def __init__(self, shards: int = 1, **limits: int) -> None:
        self.sinks = [Recorder() for _ in range(shards)]
        self.settled: list[str] = []
        self.refused: dict[str, str] = {}
        self.rooms = 0
        self.batcher: Batcher[str, str] = Batcher(self.sinks, self._settle, self._room, size=len, **limits)

    def _settle(self, batch: Sequence[str], refusals: object) -> None:
        assert isinstance(refusals, dict)
        for index, message in enumerate(batch):
            if index in refusals:
                self.refused[message] = refusals[index].code
            else:
                self.settled.append(message)

    def _room(self) -> None:
        self.rooms += 1

    def put(self, *messages: str, shard: int = 0) -> bool:
        lane = self.batcher.shard(shard)
        lane.queue.extend(messages)
        lane.kick()
        return self.batcher.account(len(messages), sum(map(len, messages)))

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.001)


async def test_an_idle_shard_flushes_at_once_and_a_busy_one_gathers() -> None:
    bench = Bench()
    sink = bench.sinks[0]
    sink.gate.clear()
    bench.put("1")
    await bench.until(sink.entered.is_set)
    for number in range(2, 6):
        bench.put(str(number))
    sink.gate.set()
    await bench.until(lambda: len(bench.settled) == 5)
    assert sink.transactions == [["1"], ["2", "3", "4", "5"]]
    assert await bench.batcher.close()


async def test_a_batch_has_at_most_the_limit_and_order_is_kept() -> None:
    bench = Bench(batch=10)
    messages = [f"m{number:03}" for number in range(95)]
    bench.put(*messages)
    await bench.until(lambda: len(bench.settled) == 95)
    assert bench.settled == messages
    assert max(map(len, bench.sinks[0].transactions)) <= 10
    assert await bench.batcher.close()


async def test_a_message_that_spoils_its_batch_is_refused_alone() -> None:
    bench = Bench()
    bench.sinks[0].poison = {"p1", "p2"}
    bench.put("a", "b", "p1", "c", "d", "p2", "e")
    await bench.until(lambda: len(bench.settled) + len(bench.refused) == 7)
    assert bench.settled == ["a", "b", "c", "d", "e"]
    assert bench.refused == {"p1": "data", "p2": "data"}
    assert [unit for batch in bench.sinks[0].transactions for unit in batch] == ["a", "b", "c", "d", "e"]
    assert await bench.batcher.close()


async def test_refusals_of_decoding_and_of_committing_name_the_right_messages() -> None:
    bench = Bench()
    bench.put("bad1", "a", "late", "bad2", "b")
    await bench.until(lambda: len(bench.settled) + len(bench.refused) == 5)
    assert bench.settled == ["a", "b"]
    assert bench.refused == {"bad1": "payload", "late": "late", "bad2": "payload"}
    assert await bench.batcher.close()


async def test_an_unavailable_store_keeps_the_batch_until_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_module, "FIRST_RETRY_S", 0.001)
    bench = Bench()
    bench.sinks[0].failures = [Unavailable("away"), Unavailable("away")]
    bench.put("a", "b")
    await bench.until(lambda: len(bench.settled) == 2)
    assert bench.sinks[0].transactions == [["a", "b"]]
    assert bench.batcher.stats.retries == 2
    assert await bench.batcher.close()


async def test_a_full_batcher_says_so_and_calls_when_there_is_room_again() -> None:
    bench = Bench(max_pending=10)
    bench.sinks[0].gate.clear()
    assert not bench.put(*(["x"] * 10))
    assert bench.put("y")
    assert bench.batcher.full
    bench.sinks[0].gate.set()
    await bench.until(lambda: bench.rooms == 1)
    assert not bench.batcher.full
    assert await bench.batcher.close()


async def test_bytes_are_bounded_as_messages_are() -> None:
    bench = Bench(max_pending_bytes=1000)
    bench.sinks[0].gate.clear()
    assert bench.put("x" * 1001)
    bench.sinks[0].gate.set()
    await bench.until(lambda: bench.rooms == 1)
    await bench.batcher.close()
    assert bench.batcher.pending == bench.batcher.pending_bytes == 0


async def test_closing_commits_what_is_queued() -> None:
    bench = Bench(shards=3)
    for shard in range(3):
        bench.put(*[f"{shard}-{number}" for number in range(50)], shard=shard)
    assert await bench.batcher.close()
    assert sorted(bench.settled) == sorted(f"{shard}-{number}" for shard in range(3) for number in range(50))


async def test_shards_do_not_wait_for_each_other() -> None:
    bench = Bench(shards=2)
    bench.sinks[0].gate.clear()
    bench.put("slow", shard=0)
    bench.put("quick", shard=1)
    await bench.until(lambda: bench.settled == ["quick"])
    bench.sinks[0].gate.set()
    assert await bench.batcher.close()
    assert bench.settled == ["quick", "slow"]


class Clock:
    """A clock that moves only where somebody sleeps or works, and what happens meanwhile."""

    def __init__(self) -> None:
        self.now = 0.0
        self.naps = 0
        self.meanwhile: Callable[[], None] = lambda: None

    def perf_counter(self) -> float:
        return self.now

    monotonic = perf_counter

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.naps += 1
        self.meanwhile()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Every commit takes 80 ms."""
    clock = Clock()
    commit = Recorder.commit

    def slow(self: Recorder, units: Sequence[str]) -> dict[int, Refused]:
        clock.now += 0.08
        return commit(self, units)

    monkeypatch.setattr(Recorder, "commit", slow)
    monkeypatch.setattr(batch_module, "time", clock)
    return clock


async def test_a_busy_shard_lets_as_much_time_pass_as_its_last_batch_took(clock: Clock) -> None:
    bench = Bench()
    coming = [f"m{number}" for number in range(80)]

    def send_ten() -> None:
        bench.batcher.shard(0).queue.extend(coming[:10])
        del coming[:10]

    clock.meanwhile = send_ten
    bench.put(*[f"n{number}" for number in range(100)])
    await bench.until(lambda: len(bench.settled) == 180)
    assert [len(each) for each in bench.sinks[0].transactions] == [100, 80]
    assert await bench.batcher.close()


async def test_a_shard_waits_no_longer_where_its_senders_wait_for_it(clock: Clock) -> None:
    bench = Bench()
    bench.put(*[f"n{number}" for number in range(100)])
    await bench.until(lambda: len(bench.settled) == 100 and bool(clock.naps))
    assert await bench.batcher.close()
    assert clock.naps == 1


async def test_a_shard_with_little_to_do_never_waits(clock: Clock) -> None:
    bench = Bench(batch=50)
    bench.put(*[f"n{number}" for number in range(10)])
    await bench.until(lambda: len(bench.settled) == 10)
    bench.put(*[f"m{number}" for number in range(300)])  # nor one whose next batch is full already
    await bench.until(lambda: len(bench.settled) == 310)
    assert await bench.batcher.close()
    assert clock.naps == 0
