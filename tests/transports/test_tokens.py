"""The token cache: what it believes, for how long, and what it asks."""

import asyncio
import uuid
from collections.abc import Sequence

import pytest

from devices.services.credentials import DeviceIdentity
from thingsboard.transports.directory import Unavailable
from thingsboard.transports.tokens import TokenCache


def identity(lookup: bytes) -> DeviceIdentity:
    some = uuid.UUID(int=1)
    return DeviceIdentity(lookup, "ACCESS_TOKEN", some, some, "d", some, "default", "DEFAULT", False)


class Store:
    """A directory that knows every lookup that begins with b"k"; it can be held, and can fail."""

    def __init__(self) -> None:
        self.asked: list[list[bytes]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.failing = False

    async def ask(self, lookups: Sequence[bytes]) -> dict[bytes, DeviceIdentity]:
        self.asked.append(list(lookups))
        await self.open.wait()
        if self.failing:
            raise Unavailable("down")
        return {lookup: identity(lookup) for lookup in lookups if lookup.startswith(b"k")}


def cache(store: Store, *, seconds: float = 30, size: int = 100, window: float = 0.005) -> TokenCache:
    return TokenCache(store.ask, seconds=seconds, size=size, window=window)


async def test_misses_of_a_moment_are_one_query_and_each_token_is_asked_once() -> None:
    store = Store()
    tokens = cache(store)
    found = await asyncio.gather(*(tokens.find(b"k%d" % (n % 10)) for n in range(50)))
    assert len(store.asked) == 1
    assert sorted(store.asked[0]) == [b"k%d" % n for n in range(10)]
    assert [each and each.lookup for each in found] == [b"k%d" % (n % 10) for n in range(50)]


async def test_an_answer_is_believed_until_it_is_too_old() -> None:
    store = Store()
    tokens = cache(store, seconds=0.1)
    for _ in range(5):
        assert await tokens.find(b"k")
    assert len(store.asked) == 1
    await asyncio.sleep(0.11)
    assert await tokens.find(b"k")
    assert len(store.asked) == 2


async def test_unknown_tokens_are_remembered_shortly_and_within_the_same_bound() -> None:
    store = Store()
    tokens = cache(store, size=10)
    for number in range(50):
        assert await tokens.find(b"u%d" % number) is None
    assert len(tokens) == 10
    asked = len(store.asked)
    assert await tokens.find(b"u49") is None
    assert len(store.asked) == asked


async def test_the_least_recently_used_entry_goes_first() -> None:
    store = Store()
    tokens = cache(store, size=2, window=0)
    for lookup in (b"k1", b"k2", b"k1", b"k3", b"k1"):
        await tokens.find(lookup)
    assert store.asked == [[b"k1"], [b"k2"], [b"k3"]]
    await tokens.find(b"k2")
    assert store.asked[-1] == [b"k2"]


@pytest.mark.parametrize("how", ["forget", "clear"])
async def test_an_answer_that_was_overtaken_by_an_invalidation_is_asked_for_again(how: str) -> None:
    store = Store()
    tokens = cache(store, window=0)
    store.open.clear()
    finding = asyncio.create_task(tokens.find(b"k"))
    while not store.asked:
        await asyncio.sleep(0)
    tokens.forget(b"k") if how == "forget" else tokens.clear()
    store.open.set()
    assert await finding
    assert store.asked == [[b"k"], [b"k"]]


async def test_a_token_that_changes_all_the_time_is_given_up() -> None:
    tokens: TokenCache

    class Nervous(Store):
        async def ask(self, lookups: Sequence[bytes]) -> dict[bytes, DeviceIdentity]:
            answer = await super().ask(lookups)
            tokens.clear()
            return answer

    store = Nervous()
    tokens = cache(store, window=0)
    with pytest.raises(Unavailable):
        await tokens.find(b"k")
    assert len(tokens) == 0


async def test_a_failure_is_told_to_everybody_and_not_remembered() -> None:
    store = Store()
    tokens = cache(store)
    store.failing = True
    results = await asyncio.gather(*(tokens.find(b"k") for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in results] == [Unavailable] * 3
    store.failing = False
    assert await tokens.find(b"k")


async def test_who_gives_up_waiting_does_not_disturb_the_others() -> None:
    store = Store()
    tokens = cache(store)
    impatient, patient = asyncio.create_task(tokens.find(b"k")), asyncio.create_task(tokens.find(b"k"))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await patient
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_a_cache_that_may_not_remember_still_answers() -> None:
    store = Store()
    tokens = cache(store, seconds=0, window=0)
    assert await tokens.find(b"k")
    assert await tokens.find(b"k")
    assert len(store.asked) == 2


async def test_several_look_ups_are_one_query_and_known_ones_are_not_asked_again() -> None:
    store = Store()
    tokens = cache(store)
    found = await tokens.find_all((b"k1", b"u", b"k1", b"k2"))
    assert [each and each.lookup for each in found] == [b"k1", None, b"k1", b"k2"]
    assert store.asked == [[b"k1", b"u", b"k2"]]
    await tokens.find_all((b"k1", b"k3"))
    assert store.asked[1:] == [[b"k3"]]


@pytest.mark.parametrize("how", ["forget", "clear"])
async def test_what_is_known_is_asked_again_when_it_changes_while_the_rest_is_asked_for(how: str) -> None:
    store = Store()
    tokens = cache(store, window=0)
    await tokens.find(b"k1")
    store.open.clear()
    finding = asyncio.create_task(tokens.find_all((b"k1", b"k2")))
    while len(store.asked) < 2:
        await asyncio.sleep(0)
    tokens.forget(b"k1") if how == "forget" else tokens.clear()
    store.open.set()
    assert all(await finding)
    assert [b"k1" in batch for batch in store.asked] == [True, False, True]


async def test_several_look_ups_do_with_room_for_one_and_fail_together() -> None:
    store = Store()
    tokens = cache(store, size=1, window=0)
    assert await tokens.find(b"k1")
    assert all(await tokens.find_all((b"k1", b"k2")))
    store.failing = True
    with pytest.raises(Unavailable):
        await tokens.find_all((b"k3", b"k4"))
