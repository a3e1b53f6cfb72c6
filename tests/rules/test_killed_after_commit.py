"""kill -9 around the COMMIT of a deed: after it deed and events are there, each once and in order; before it neither is.

The deed is done by a process of its own that kills itself: whatever follows the COMMIT (the kick of the rule engine, what
live sockets hear) never happens.
"""

import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import connections

from devices.services import activity, assignments, devices, rpcs
from devices.services.activity import Report
from devices.services.devices import DeviceFields
from rules.models import RuleChain, RuleEvent
from rules.nodes.flow.acknowledge import Acknowledge
from telemetry import deeds
from telemetry.points import Scope
from telemetry.store.connect import connect
from tests.cast import Cast
from tests.queued import queued
from tests.rules.engine.world import drain, make_chain, waiting
from tests.verbs import VERBS, World
from tests.verbs.world import HOUR
from thingsboard.kernel.models import OutboxRow
from thingsboard.kernel.time import now_ms, set_source

# Slow, but no platform: beside those that start one.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.xdist_group("kills")]

DEBUGGED = {"failuresEnabled": False, "allEnabledUntil": 4_000_000_000_000}

Told = tuple[str, str, str]  # type of a message, its originator's kind and id


@pytest.fixture
def world(cast: Cast) -> World:
    """Nothing waits yet, and the keys of a device's activity have their numbers: who is first commits them beforehand."""
    world = World(cast)
    activity.times(world.device.pk)
    OutboxRow.objects.all().delete()
    return world


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    yield
    set_source(None)


def killed_before(deed: Callable[[], object], commit: int = 1) -> bool:
    """Do it in a process that is killed right before its COMMIT of this number; False: it has not so many."""
    return _killed(deed, commit, committed=False)


def killed_after(deed: Callable[[], object], commit: int = 1) -> bool:
    """The same, right after it."""
    return _killed(deed, commit, committed=True)


def _killed(deed: Callable[[], object], commit: int, *, committed: bool) -> bool:
    connections.close_all()  # a child must not speak on its parent's
    pid = os.fork()
    if pid == 0:
        try:
            _die_at_commit(commit, committed)
            deed()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the deed failed"
    return False


def _die_at_commit(number: int, committed: bool) -> None:
    """In this process, on whatever connection: Django's, which calls `commit`, or one with transactions of its own."""
    commits = count(1)

    def deadly(commit: Callable[..., Any]) -> Callable[..., Any]:
        def dies(*arguments: Any) -> Any:
            last = next(commits) == number
            if last and not committed:
                os.kill(os.getpid(), signal.SIGKILL)
            result = commit(*arguments)
            if last:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return dies

    leave = psycopg.Transaction.__exit__
    ends = deadly(leave)

    def leave_or_die(self: psycopg.Transaction, *error: Any) -> Any:
        inner = self.savepoint_name  # which commits nothing
        return leave(self, *error) if inner or error[0] else ends(self, *error)

    psycopg.Connection.commit = deadly(psycopg.Connection.commit)  # type: ignore[method-assign]
    psycopg.Transaction.__exit__ = leave_or_die  # type: ignore[method-assign]


def told() -> list[Told]:
    """What waits in the queue, in order."""
    return [(each.type, each.originator.type.value, str(each.originator.id)) for _, each in queued()]


def listening_chain(world: World) -> RuleChain:
    """The tenant's root from now on, whose node tells of every message in the transaction that takes it off the queue."""
    return make_chain(world.tenant, [(Acknowledge, {})], debug={0: DEBUGGED})


def arrived(chain: RuleChain) -> list[Told]:
    """The messages that went through that chain, in order."""
    node = chain.versions.get().definition["nodes"][0]["id"]
    rows = RuleEvent.objects.filter(entity_id=node).order_by("id")
    bodies = [row.body for row in rows if row.body["type"] == "IN"]
    return [(body["msgType"], body["entityType"], body["entityId"]) for body in bodies]


def work_off() -> None:
    """All that waits."""
    drain(groups=range(settings.TB_RULE_DRAINS))


@pytest.mark.parametrize("name", VERBS)
def test_a_deed_whose_process_is_killed_around_its_commit_is_told_of_once_or_never_was(world: World, name: str) -> None:
    verb = VERBS[name]
    assert killed_before(lambda: verb.do(world))
    assert not verb.done(world) and told() == []
    assert killed_after(lambda: verb.do(world))
    waits = told()
    assert verb.done(world)
    assert sorted(f"{type} {kind}" for type, kind, _ in waits) == sorted(verb.events)
    chain = listening_chain(world)
    work_off()
    assert sorted(arrived(chain)) == sorted(waits) and waiting() == 0


def test_events_of_a_device_arrive_in_the_order_of_the_deeds_though_each_of_them_killed_its_process(
    world: World,
) -> None:
    device, target = world.device, world.target
    story: list[tuple[Callable[[], object], str]] = [
        (lambda: devices.update_device(device, DeviceFields(name="Old")), "ENTITY_UPDATED"),
        (lambda: assignments.assign(device, world.bistro), "ENTITY_ASSIGNED"),
        (lambda: deeds.save_attributes(target, Scope.SERVER, {"limit": 2}), "ATTRIBUTES_UPDATED"),
        (lambda: report(Report(device.pk, 0, connected=now_ms())), "CONNECT_EVENT"),
        (lambda: deeds.save_points(target, [(2000, {"t": 2})]), "TIMESERIES_UPDATED"),
        (lambda: VERBS["raise alarm"].do(world), "ALARM"),
        (lambda: VERBS["acknowledge alarm"].do(world), "ALARM_ACK"),
        (lambda: rpcs.create_rpc(device, {"method": "y"}, expiration_time=now_ms() + HOUR), "RPC_QUEUED"),
        (lambda: deeds.delete_attributes(target, Scope.SERVER, ["limit"]), "ATTRIBUTES_DELETED"),
        (lambda: devices.delete_device(device), "ENTITY_DELETED"),
    ]
    for deed, _ in story:
        assert killed_before(deed)
        assert killed_after(deed)
    chain = listening_chain(world)
    work_off()
    assert arrived(chain) == [(type, "DEVICE", str(world.device.pk)) for _, type in story]


def report(*reports: Report) -> None:
    """As a transport does, on a connection of its own."""
    with connect("thingsboard killed") as connection:
        activity.record(connection, reports)


@pytest.mark.parametrize(
    ("said", "events"),
    [
        ({"connected": 2}, ["CONNECT_EVENT"]),
        ({"connected": 2, "last_activity": 3}, ["CONNECT_EVENT", "ACTIVITY_EVENT"]),
        ({"disconnected": 4}, ["DISCONNECT_EVENT"]),
        ({"last_activity": 3}, ["ACTIVITY_EVENT"]),
    ],
)
def test_what_a_device_does_is_told_of_once_though_its_transport_is_killed_around_the_commit(
    world: World, said: dict[str, int], events: list[str]
) -> None:
    start, key = now_ms(), world.device.pk
    news = Report(key, **{name: start + ms for name, ms in said.items()})
    before = activity.times(key)
    assert killed_before(lambda: report(news))
    assert activity.times(key) == before and told() == []
    assert killed_after(lambda: report(news))
    assert activity.times(key) != before
    report(news)  # by whoever takes over: the same again is no news
    chain = listening_chain(world)
    work_off()
    assert arrived(chain) == [(event, "DEVICE", str(key)) for event in events]


def test_a_device_whose_transport_is_killed_between_two_commits_of_a_report_is_found_by_the_next_look(
    world: World,
) -> None:
    """The time of its activity is moved first, by a statement of its own; that it is active now, by a transaction."""
    key = world.device.pk
    report(Report(key, now_ms()))
    set_source(lambda: time.time() + 3600)
    activity.review()
    OutboxRow.objects.all().delete()
    heard = now_ms()
    assert killed_before(lambda: report(Report(key, heard)))
    assert (activity.times(key)["lastActivityTime"], activity.times(key)["active"], told()) == (heard, False, [])
    assert killed_after(activity.review)
    activity.review()
    assert activity.times(key)["active"] and told() == [("ACTIVITY_EVENT", "DEVICE", str(key))]


def test_a_device_that_falls_silent_is_told_of_once_though_the_look_is_killed_around_its_commit(world: World) -> None:
    key = world.device.pk
    report(Report(key, now_ms()))
    OutboxRow.objects.all().delete()
    set_source(lambda: time.time() + 3600)
    assert killed_before(activity.review)
    assert activity.times(key)["active"] and told() == []
    assert killed_after(activity.review)
    activity.review()
    chain = listening_chain(world)
    work_off()
    assert not activity.times(key)["active"]
    silent = [("INACTIVITY_EVENT", "DEVICE", str(each)) for each in (key, world.lent.pk)]
    assert sorted(arrived(chain)) == sorted(silent)


def test_a_worker_that_is_killed_around_any_of_its_commits_tells_of_everything_once(world: World) -> None:
    chain = listening_chain(world)
    waited: list[Told] = []
    for kill in (killed_before, killed_after):
        for commit in count(1):
            assert commit < 20
            for device in (world.device, world.lent, world.device):
                devices.update_device(device, DeviceFields(name=f"{device.pk} {commit}"))
            VERBS["save attributes"].do(world)
            waited += told()
            died = kill(work_off, commit)
            work_off()
            if not died:
                break
    assert by_entity(arrived(chain)) == by_entity(waited) and len(waited) > 16


def by_entity(messages: list[Told]) -> dict[str, list[str]]:
    """The types of each one's messages, in order: those of several do not wait for each other."""
    found: dict[str, list[str]] = {}
    for type, _, key in messages:
        found.setdefault(key, []).append(type)
    return found
