"""Compares the journal of a load test with the rows of the platform's own database, without any code of the platform's.

`manage.py loadtest --verify` asks the same of the API; this is the second opinion, and it looks at the newest values too.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psycopg

from thingsboard.loadtest import packets
from thingsboard.loadtest.device import Ledger
from thingsboard.loadtest.journal import Journal

Row = tuple[int, Any]  # ts (ms), value

_ROWS = """
SELECT key.name, ts, coalesce(to_jsonb(long_v), to_jsonb(bool_v), to_jsonb(dbl_v))
  FROM ts_kv_all JOIN ts_key key ON key.id = key_id WHERE entity_id = %s AND ts >= %s ORDER BY ts
"""
_LATEST = """
SELECT key.name, ts, coalesce(to_jsonb(long_v), to_jsonb(bool_v), to_jsonb(dbl_v))
  FROM ts_latest JOIN ts_key key ON key.id = key_id WHERE entity_id = %s
"""


@dataclass(slots=True)
class Findings:
    """Points, not messages. `lost`: acknowledged and not there; `wrong`: there with another value; `twice`: more than
    once for one (entity, key, ts); `stranger`: never sent; `stale`: newest values that are not the newest point;
    `disorder`: messages stamped out of the order in which the device sent them.
    """

    stored: int = 0
    acknowledged: int = 0
    lost: int = 0
    wrong: int = 0
    twice: int = 0
    stranger: int = 0
    stale: int = 0
    disorder: int = 0
    examples: list[str] = field(default_factory=list)

    def note(self, what: str, count: int, about: object) -> None:
        """Count, and keep the first few examples for whoever reads the failure."""
        setattr(self, what, getattr(self, what) + count)
        if count and len(self.examples) < 10:
            self.examples.append(f"{what}: {about}")

    @property
    def clean(self) -> bool:
        """Whether every promise held."""
        return not (self.lost or self.wrong or self.twice or self.stranger or self.stale or self.disorder)


def check(connection: "psycopg.Connection[Any]", journal: Journal) -> Findings:
    """Every acknowledged point of the journal against the tables."""
    findings = Findings()
    for ledger in journal.ledgers:
        start = journal.started if journal.server_time else ledger.base
        rows: dict[str, list[Row]] = {key: [] for key in journal.keys}
        for name, ts, value in connection.execute(_ROWS, [ledger.device_id, start]):
            if name in rows:
                rows[name].append((ts, value))
        findings.acknowledged += ledger.acknowledged_count * len(journal.keys)
        for key, found in rows.items():
            findings.stored += len(found)
            _check_twice(findings, ledger, key, found)
            (_check_numbers if journal.server_time else _check_stamps)(findings, ledger, key, found)
        newest = {name: (ts, value) for name, ts, value in connection.execute(_LATEST, [ledger.device_id])}
        for key, found in rows.items():
            if found and newest.get(key) != found[-1]:
                findings.note("stale", 1, (ledger.name, key, newest.get(key), found[-1]))
    return findings


def expected(key: str, number: int) -> Any:
    """What message `number` says of a key."""
    return {"pulseCounter": packets.counter_of(number), "leakage": False, "batteryLevel": 93}[key]


def numbers(ledger: Ledger) -> set[int]:
    """The messages that were acknowledged."""
    return {number for first, last in ledger.acknowledged for number in range(first, last + 1)}


def _check_twice(findings: Findings, ledger: Ledger, key: str, found: list[Row]) -> None:
    for ts, count in Counter(ts for ts, _ in found).items():
        findings.note("twice", count - 1, (ledger.name, key, ts))


def _check_stamps(findings: Findings, ledger: Ledger, key: str, found: list[Row]) -> None:
    """The device's own time stamps: each names its message."""
    stored = dict(found)
    for number in numbers(ledger):
        if ledger.base + number * ledger.step not in stored:
            findings.note("lost", 1, (ledger.name, key, number))
    for ts, value in stored.items():
        number, off = divmod(ts - ledger.base, ledger.step)
        if off or number >= ledger.sent:
            findings.note("stranger", 1, (ledger.name, key, ts))
        elif value != expected(key, number):
            findings.note("wrong", 1, (ledger.name, key, number, value))


def _check_numbers(findings: Findings, ledger: Ledger, key: str, found: list[Row]) -> None:
    """The server's time stamps: the counter names the message. A repeated message is a new one, so it may be there
    again, later; first arrivals are in the order of sending.
    """
    if key != "pulseCounter":
        count = len(numbers(ledger))
        findings.note("lost", max(0, count - len(found)), (ledger.name, key, count, len(found)))
        return
    seen: set[int] = set()
    last = -1
    for ts, value in found:
        number = value - packets.COUNTER_FIRST
        if not 0 <= number < ledger.sent:
            findings.note("stranger", 1, (ledger.name, ts, value))
        elif number not in seen:
            findings.note("disorder", int(number < last), (ledger.name, ts, number, last))
            seen.add(number)
            last = number
    for number in numbers(ledger) - seen:
        findings.note("lost", 1, (ledger.name, key, number))
