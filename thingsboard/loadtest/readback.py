"""Read back what a run stored and compare it with what was sent and acknowledged, message by message."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import packets
from .device import Ledger
from .journal import Journal
from .platform import Platform, all_of

DEVICES_AT_ONCE = 4
PAGE_POINTS = 50_000  # a key and request
SERVER_AHEAD_MS = 5_000  # servers stamp a burst up to a second ahead of their clock; clocks of one site differ little


@dataclass(slots=True)
class Findings:
    """Messages, not points: a message counts as stored when every one of its points is.

    `lost` were acknowledged and are not stored; `surplus` are stored points that were not sent, or came twice;
    `wrong` are stored with another value than was sent.
    """

    stored: int = 0
    lost: int = 0
    surplus: int = 0
    wrong: int = 0

    def add(self, other: "Findings") -> None:
        """Add another device's findings."""
        self.stored += other.stored
        self.lost += other.lost
        self.surplus += other.surplus
        self.wrong += other.wrong


async def read_back(platform: Platform, journal: Journal, now_ms: int, on_progress: Callable[[int], None]) -> Findings:
    """Compare the platform's history with the journal. `on_progress` hears how many devices are done.

    With `server_time` the time stamps are the server's, so the points between the start of the run and now are counted
    instead of compared. Raises PlatformError.
    """
    total, done = Findings(), 0
    slots = asyncio.Semaphore(DEVICES_AT_ONCE)

    async def one(ledger: Ledger) -> None:
        nonlocal done
        async with slots:
            if journal.server_time:
                end = now_ms + SERVER_AHEAD_MS
                findings = await _count(platform, ledger, journal.keys, journal.started, end)
            elif ledger.sent:
                findings = await _compare(platform, ledger, journal.keys)
            else:
                findings = Findings()
        total.add(findings)
        done += 1
        on_progress(done)

    await all_of(one(ledger) for ledger in journal.ledgers)
    return total


async def _count(platform: Platform, ledger: Ledger, keys: list[str], start: int, end: int) -> Findings:
    """The server's own time stamps: how many points of each key there are."""
    counts = dict.fromkeys(keys, 0)
    async for key, points in _pages(platform, ledger.device_id, keys, start, end):
        counts[key] += len(points)
    stored = min(counts.values())
    return Findings(
        stored=stored,
        lost=max(0, ledger.acknowledged_count - stored),
        surplus=sum(max(0, count - ledger.sent) for count in counts.values()),
    )


async def _compare(platform: Platform, ledger: Ledger, keys: list[str]) -> Findings:
    """The device's own time stamps: each point belongs to one message."""
    findings = Findings()
    seen = {key: bytearray(ledger.sent) for key in keys}  # by message number
    end = ledger.base + (ledger.sent - 1) * ledger.step + 1
    async for key, points in _pages(platform, ledger.device_id, keys, ledger.base, end):
        marks = seen[key]
        for point in points:
            number, off = divmod(point["ts"] - ledger.base, ledger.step)
            if off or not 0 <= number < ledger.sent or marks[number]:
                findings.surplus += 1
                continue
            marks[number] = 1
            if key == keys[0] and point["value"] != packets.counter_of(number):
                findings.wrong += 1
    complete = _intersection(seen.values(), ledger.sent)
    findings.stored = complete.count(1)
    findings.lost = sum(complete.count(0, first, last + 1) for first, last in ledger.acknowledged)
    return findings


def _intersection(marks: Iterable[bytearray], size: int) -> bytes:
    """1 for the messages that every key has."""
    common = int.from_bytes(b"\1" * size)
    for mark in marks:
        common &= int.from_bytes(mark)
    return common.to_bytes(size)


async def _pages(platform: Platform, device_id: str, keys: list[str], start: int, end: int) -> Any:
    """All points as (key, points) pages, oldest first: all keys in one request, what did not fit key by key."""
    first = await platform.history(device_id, keys, start, end, PAGE_POINTS)
    for key in keys:
        points = first.get(key, [])
        yield key, points
        while len(points) >= PAGE_POINTS:
            after = points[-1]["ts"] + 1
            points = (await platform.history(device_id, [key], after, end, PAGE_POINTS)).get(key, [])
            yield key, points
