"""`manage.py loadtest` against a small platform that can be broken."""

import asyncio
import io
import itertools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from thingsboard.loadtest import journal, readback, session
from thingsboard.loadtest.fleet import Unreachable
from thingsboard.loadtest.options import Options
from thingsboard.loadtest.platform import Platform, PlatformError
from thingsboard.loadtest.progress import Bars
from thingsboard.loadtest.report import Report

from .small_platform import SmallPlatform

# Each starts programs: a second or more of nothing but imports.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("loadtest")]

KEY = "k" * 64


def options_for(platform: SmallPlatform, **changes: Any) -> Options:
    """A short run of three devices against the small platform."""
    options = Options(
        url=platform.url,
        mqtt_host="127.0.0.1",
        mqtt_port=platform.mqtt_port,
        devices=3,
        rate=300,
        duration=0.3,
        grace=0.3,
    )
    options = replace(options, **changes)
    options.check()
    return options


async def run(options: Options) -> Report:
    """One run without a bar."""
    return await session.run(options, KEY, Bars(Console(file=io.StringIO())))


def names_in(directory: Path) -> list[str]:
    """What is in a directory."""
    return sorted(path.name for path in directory.iterdir())


async def test_every_message_sent_is_acknowledged_and_found_again() -> None:
    async with SmallPlatform() as platform:
        report = await run(options_for(platform))
    assert report.problems() == []
    assert report.sent == report.acknowledged == platform.received == 90
    assert report.findings == readback.Findings(stored=90)
    assert platform.topics == {"v1/devices/me/telemetry"}
    assert 0 < report.p50 <= report.p99 <= report.longest < 0.3
    assert report.as_json()["points_per_message"] == 3


async def test_a_message_looks_like_thingsboards_smart_meter() -> None:
    async with SmallPlatform() as platform:
        await run(options_for(platform, points=4))
        series = next(iter(platform.stored.values()))
    assert list(series) == ["pulseCounter", "leakage", "batteryLevel", "p4"]
    times = sorted(series["pulseCounter"])
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == [10] * (len(times) - 1)
    assert set(series["leakage"].values()) == {False}
    assert set(series["batteryLevel"].values()) == {93}


async def test_as_fast_as_acknowledged_keeps_the_window_and_loses_nothing() -> None:
    async with SmallPlatform() as platform:
        report = await run(options_for(platform, rate=0, window=7))
    assert report.problems() == []
    assert report.sent == report.acknowledged > 300
    assert report.findings is not None and report.findings.stored == report.sent


async def test_acknowledgements_out_of_turn_are_counted_once_each() -> None:
    async with SmallPlatform() as platform:
        platform.reverse = True
        report = await run(options_for(platform, rate=0, window=50))
    assert report.problems() == []
    assert report.sent == report.acknowledged == platform.received


async def test_without_acknowledgements_at_qos_0_the_stored_messages_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session, "QOS0_SETTLE_S", 0.1)
    async with SmallPlatform() as platform:
        report = await run(options_for(platform, qos=0))
    assert report.problems() == []
    assert report.findings is not None and report.findings.stored == report.sent == 90
    assert report.as_json()["acknowledged"] is None


async def test_with_the_servers_time_stored_messages_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with SmallPlatform() as platform:
        monkeypatch.setattr(session, "now_ms", lambda: 1_700_000_000_000)
        report = await run(options_for(platform, server_time=True))
        monkeypatch.setattr(session, "now_ms", lambda: 1_600_000_000_000)
        elsewhere = await run(options_for(platform, server_time=True))
    assert report.findings is not None
    assert (report.findings.stored, report.findings.lost, report.problems()) == (90, 0, [])
    assert elsewhere.problems() == ["90 acknowledged messages are not stored."]


async def test_an_acknowledged_message_that_is_not_stored_is_a_loss() -> None:
    async with SmallPlatform() as platform:
        platform.forget_every = 30
        report = await run(options_for(platform))
    assert report.problems() == ["3 acknowledged messages are not stored."]


async def test_a_stored_value_that_was_not_sent_is_reported() -> None:
    async with SmallPlatform() as platform:
        options = options_for(platform, journal=None)
        first = await run(options)
        series = platform.stored[platform.devices["loadtest 00001"]["id"]["id"]]["pulseCounter"]
        base = min(series)
        series[base] = 5
        series[base + 3] = 6
        ledger = session.journal.Ledger(
            "loadtest 00001", platform.devices["loadtest 00001"]["id"]["id"], base, 10, 30, ((0, 29),)
        )
        account = journal.Journal(False, ["pulseCounter"], base, base, True, [ledger])
        async with Platform(platform.url, "tenant@thingsboard.org", "tenant", KEY) as api:
            findings = await readback.read_back(api, account, base, lambda done: None)
    assert first.problems() == []
    assert findings == readback.Findings(stored=30, lost=0, surplus=1, wrong=1)


async def test_more_points_than_one_answer_holds_are_paged_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readback, "PAGE_POINTS", 7)
    async with SmallPlatform() as platform:
        report = await run(options_for(platform))
    assert report.findings == readback.Findings(stored=90)


async def test_a_broken_connection_is_mended_and_what_was_unacknowledged_is_sent_again() -> None:
    async with SmallPlatform() as platform:
        platform.break_after = 10
        report = await run(options_for(platform, reconnect=True, max_outage=2.0, duration=1.0, rate=100))
    assert report.problems() == []
    assert (report.broken, report.reconnects) == (1, 1)
    assert platform.repeated >= 1
    assert report.sent == report.acknowledged
    assert report.findings is not None and report.findings.stored == report.sent


async def test_a_broken_connection_fails_the_run_without_reconnect() -> None:
    async with SmallPlatform() as platform:
        platform.break_after = 10
        report = await run(options_for(platform))
    assert "1 connections broke; --reconnect goes on over broken connections." in report.problems()
    assert report.findings is not None and report.findings.lost == 0


async def test_a_platform_that_stays_away_ends_the_run() -> None:
    async with SmallPlatform() as platform:
        options = options_for(platform, devices=1, rate=10, duration=60, reconnect=True, max_outage=0.3, readback=False)

        async def leave() -> None:
            while not platform.connections:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)
            platform.refuse_with = 3
            for transport in list(platform.connections):
                transport.abort()

        leaving = asyncio.create_task(leave())
        report = await run(options)
        await leaving
    assert report.seconds < 5
    assert "1 devices found no way back within the longest outage." in report.problems()


async def test_a_refused_connect_is_reported_with_its_reason() -> None:
    async with SmallPlatform() as platform:
        platform.refuse_with = 5
        report = await run(options_for(platform))
    assert report.problems() == ["3 of 3 devices were refused: CONNACK 5 (not authorized)."]
    assert report.sent == 0
    assert report.seconds < 0.3


async def test_a_server_that_never_acknowledges_does_not_hold_the_run() -> None:
    async with SmallPlatform() as platform:
        platform.acknowledge = False
        report = await run(options_for(platform, window=5))
    assert report.problems() == ["15 messages were never acknowledged."]
    assert (report.sent, report.held_back) == (15, 75)


async def test_nobody_listening_is_one_clear_line() -> None:
    async with SmallPlatform() as platform:
        options = options_for(platform)
        platform._mqtt.close()
        with pytest.raises(Unreachable, match=r"MQTT at 127.0.0.1:\d+: cannot connect \("):
            await run(options)


async def test_a_wrong_password_is_one_clear_line() -> None:
    async with SmallPlatform() as platform:
        with pytest.raises(PlatformError, match="/api/auth/login: 401 Invalid username or password"):
            await run(options_for(platform, password="wrong"))


async def test_a_second_run_finds_its_devices_and_asks_for_no_tokens() -> None:
    async with SmallPlatform() as platform:
        await run(options_for(platform))
        platform.requests.clear()
        report = await run(options_for(platform, readback=False))
    assert report.problems() == []
    assert not [request for request in platform.requests if "credentials" in request or request == "POST /api/device"]
    assert len(platform.tokens) == 3


async def test_the_token_of_a_device_made_elsewhere_is_asked_for() -> None:
    async with SmallPlatform() as platform:
        platform.create("loadtest 00002", "SOME_OTHER_TOKEN", label="loadtest key of another machine")
        report = await run(options_for(platform))
    assert report.problems() == []
    assert len([request for request in platform.requests if "credentials" in request]) == 1


async def test_an_expired_login_is_renewed() -> None:
    async with SmallPlatform() as platform, Platform(platform.url, "tenant@thingsboard.org", "tenant", KEY) as api:
        await api.devices(2, lambda done: None)
        platform.expired = True
        assert len(await api.devices(2, lambda done: None)) == 2
    assert platform.logins == 2


def test_tokens_cannot_be_derived_from_names_alone() -> None:
    mine, other = (Platform("http://127.0.0.1", "me", "secret", key) for key in (KEY, "x" * 64))
    assert mine.token_for("loadtest 00001") != other.token_for("loadtest 00001")
    assert mine.token_for("loadtest 00001") not in mine.fingerprint
    assert len(mine.token_for("loadtest 00001")) == 32


async def test_the_journal_tells_what_was_sent_and_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "journal.json"
    async with SmallPlatform() as platform:
        report = await run(options_for(platform, journal=path))
        raw = json.loads(path.read_bytes())
        times = sorted(platform.stored[raw["devices"][0]["id"]]["pulseCounter"])
        again = await session.verify(journal.read(path), options_for(platform), KEY, Bars(Console(file=io.StringIO())))
    assert raw["complete"] is True and raw["step"] == 10
    assert raw["devices"][0]["acknowledged"] == [[times[0], times[-1]]]
    assert sum(device["sent"] for device in raw["devices"]) == report.sent
    assert names_in(tmp_path) == ["journal.json"]
    assert again.findings == report.findings and again.problems() == []


async def test_the_journal_is_there_while_the_run_lasts(tmp_path: Path) -> None:
    path = tmp_path / "journal.json"
    async with SmallPlatform() as platform:
        platform.acknowledge = False
        going = asyncio.create_task(run(options_for(platform, journal=path, duration=30, readback=False)))
        async with asyncio.timeout(5):
            while not path.exists():
                await asyncio.sleep(0.01)
        account = journal.read(path)
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)
    assert not account.complete
    assert [ledger.acknowledged for ledger in account.ledgers] == [(), (), ()]


@pytest.mark.parametrize("content", [b"", b"[]", b'{"version": 1}', b'{"version": 9}'])
def test_a_file_that_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "j").write_bytes(content)
    with pytest.raises(journal.BadJournal):
        journal.read(tmp_path / "j")
