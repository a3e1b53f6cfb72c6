"""Messages that wait for work outside: it is done by a real worker against a real server, and they go on as it says."""

import uuid
from typing import Any

import pytest
from django.db import transaction

from rules.admin.trace_looks import page_of
from rules.models import Queue, RuleChain, Trace
from rules.node import Node
from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.flow.acknowledge import Acknowledge
from rules.services.dead_letters import retry
from rules.services.traces import start_trace
from telemetry.query import HistoryQuery
from telemetry.services import history, latest
from tests.cast import Cast
from tests.rules.effects.calls import QUICK, ROOMY, Call, Running, Server, running, settle
from tests.rules.engine.world import drain, make_chain, queue, telemetry, waiting
from tests.waiting import until
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import DeadLetter, Effect, OutboxRow

pytestmark = pytest.mark.django_db(transaction=True)

Spec = tuple[type[Node] | str, dict[str, Any]]


def call(server: Server, path: str = "/", host: str = "") -> Spec:
    return Call, {"port": server.port, "path": path, "host": host}


def calling(cast: Cast, *calls: Spec, label: str = "Success", tenant: uuid.UUID | None = None) -> RuleChain:
    """Each call behind the one before it, then the message is saved. What the cast's making has queued is gone."""
    nodes: list[Spec] = [*calls, (SaveTimeSeries, {})]
    lines = [(number, number + 1, label) for number in range(len(calls))]
    chain = make_chain(tenant or cast.acme.pk, nodes, lines)
    assert cast.device and cast.foreign_device
    OutboxRow.objects.all().delete()
    return chain


def send(cast: Cast, *numbers: int, name: str = "Main") -> None:
    device = cast.device.pk
    queue(cast.acme.pk, *[telemetry(device, b'{"t":%d}' % each, 1000 + each) for each in numbers], name=name)


def send_foreign(cast: Cast) -> None:
    queue(cast.globex.pk, telemetry(cast.foreign_device.pk, b'{"t":1}'))


def drained() -> bool:
    drain()
    return True


def letters() -> list[DeadLetter]:
    return list(DeadLetter.objects.filter(type="POST_TELEMETRY_REQUEST").order_by("id"))


def saved(cast: Cast) -> list[object]:
    """What arrived behind the calls, by its ts."""
    query = HistoryQuery(keys=("t",), start_ts=0, end_ts=1_000_000, limit=10_000)
    return sorted(point.value for point in history(cast.device.pk, query).get("t", []))  # type: ignore[type-var]


def test_a_message_waits_and_goes_on_as_the_work_says(cast: Cast, server: Server) -> None:
    calling(cast, call(server))
    send(cast, 1)
    drain()
    assert Effect.objects.get().destination == f"http://127.0.0.1:{server.port}"
    assert latest(cast.device.pk) == {} and not waiting()
    with running():
        settle()
    assert latest(cast.device.pk)["t"].value == 1
    assert server.calls == [("/", '{"t":1}')]


def test_five_hundred_calls_to_one_server_overlap(cast: Cast, server: Server) -> None:
    calling(cast, call(server, "/gate"))
    send(cast, *range(500))
    drain()
    with running():
        until(lambda: server.now == 500)
        server.open.set()
        settle(40)
    assert server.most == 500
    assert saved(cast) == list(range(500))


def test_a_destination_that_hangs_holds_up_neither_another_one_nor_another_tenant(cast: Cast, server: Server) -> None:
    calling(cast, call(server, "/gate", "hangs"))
    send(cast, *range(60))
    drain()
    calling(cast, call(server, "/", "answers"))
    send(cast, 100)
    drain()
    calling(cast, call(server, "/"), tenant=cast.globex.pk)
    send_foreign(cast)
    drain()
    with running(limits=ROOMY._replace(all=40, tenant=20, destination=10)):
        until(lambda: drained() and (100 in saved(cast) and latest(cast.foreign_device.pk)))
        assert saved(cast) == [100]
        until(lambda: server.now == 10)
        server.open.set()
        settle()
    assert saved(cast) == [*range(60), 100]


def test_work_of_many_tenants_is_begun_in_turns(cast: Cast, server: Server) -> None:
    calling(cast, call(server, "/gate"))
    send(cast, *range(50))
    drain()
    with running(limits=ROOMY._replace(all=8)) as worker:
        until(lambda: server.now == 4)  # half of what there is
        calling(cast, call(server, "/"), tenant=cast.globex.pk)
        send_foreign(cast)
        drain()
        worker.wake()
        until(lambda: drained() and latest(cast.foreign_device.pk))
        server.open.set()
        settle()


def test_a_message_suspends_twice(cast: Cast, server: Server) -> None:
    calling(cast, call(server, "/"), call(server, "/second"))
    send(cast, 1)
    with running():
        settle()
    assert saved(cast) == [1]
    assert [path for path, _ in server.calls] == ["/", "/second"]


def test_two_branches_of_one_message_both_go_on(cast: Cast, server: Server) -> None:
    nodes: list[Spec] = [(Acknowledge, {}), call(server, "/one"), call(server, "/two"), (SaveTimeSeries, {})]
    make_chain(cast.acme.pk, nodes, [(0, 1, "Success"), (0, 2, "Success"), (1, 3, "Success"), (2, 3, "Success")])
    assert cast.device
    OutboxRow.objects.all().delete()
    send(cast, 1)
    drain()
    assert Effect.objects.count() == 2
    with running():
        settle()
    assert saved(cast) == [1]
    assert sorted(path for path, _ in server.calls) == ["/one", "/two"]


def test_what_the_work_raises_is_the_failure_of_its_message(cast: Cast, server: Server) -> None:
    calling(cast, call(server, "/bad"), label="Failure")
    send(cast, 1)
    with running():
        settle()
    assert saved(cast) == [1]
    assert letters() == []


def test_a_failure_that_leads_nowhere_is_a_dead_letter_that_calls_again_when_it_is_run_again(
    cast: Cast, server: Server
) -> None:
    calling(cast, call(server, "/bad"))
    send(cast, 1)
    with running():
        settle()
        (letter,) = letters()
        assert letter.error == "The server said 500."
        assert letter.node_id and letter.chain_id
        retry(letter)
        settle()
    assert len(server.calls) == 2


def test_a_queue_that_tries_again_calls_again(cast: Cast, server: Server) -> None:
    again = {"type": "RETRY_FAILED_AND_TIMED_OUT", "retries": 2, "pauseBetweenRetries": 0.01}
    Queue.objects.filter(name="HighPriority").update(processing_strategy=again)
    calling(cast, call(server, "/bad"))
    send(cast, 1, name="HighPriority")
    with running():
        settle()
    assert len(server.calls) == 3
    assert [letter.attempts for letter in letters()] == [3]


def test_try_again_is_bounded(cast: Cast, server: Server) -> None:
    calling(cast, call(server, "/busy"))
    send(cast, 1)
    with running():
        settle()
    assert len(server.calls) == QUICK.attempts
    assert list(server.keys.values()) == [QUICK.attempts]  # the same key at each try
    assert [letter.error for letter in letters()] == ["The connection was closed."]


def test_work_that_takes_too_long_fails(cast: Cast, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Call, "LONGEST_S", 0.05)
    calling(cast, call(server, "/gate"))
    send(cast, 1)
    with running():
        settle()
    assert [letter.error for letter in letters()] == ["The work outside took longer than 0.05 s."]


def test_a_node_that_is_gone_meanwhile_leaves_a_dead_letter(cast: Cast, server: Server) -> None:
    chain = calling(cast, call(server))
    send(cast, 1)
    drain()
    make_chain(cast.acme.pk, [(SaveTimeSeries, {})], chain=chain)
    with running():
        settle()
    (letter,) = letters()
    assert letter.error == "The rule node that was to work for the message outside is gone."
    assert server.calls == []


def test_a_chain_that_is_gone_meanwhile_leaves_a_dead_letter(cast: Cast, server: Server) -> None:
    chain = calling(cast, call(server))
    send(cast, 1)
    drain()
    chain.delete()
    with running():
        settle()
    assert [letter.error for letter in letters()] == [
        "The rule chain of the node that was to work for the message outside is gone."
    ]


def test_bytes_that_nobody_understands_leave_a_dead_letter(cast: Cast, server: Server) -> None:
    calling(cast, call(server))
    send(cast, 1, 2)
    drain()
    first = Effect.objects.order_by("id").first()
    Effect.objects.filter(pk=first.pk).update(body=b"\xc1 no msgpack")  # type: ignore[union-attr]
    with running():
        settle()
    assert [letter.type for letter in DeadLetter.objects.all()] == ["UNREADABLE"]
    assert saved(cast) == [2]


def test_a_node_whose_destination_cannot_be_said_fails_at_once(cast: Cast, server: Server) -> None:
    calling(cast, (Call, {}), label="Failure")
    send(cast, 1)
    drain()
    assert saved(cast) == [1]
    assert not Effect.objects.exists()


def test_a_stop_lets_what_runs_finish_and_gives_back_the_rest(cast: Cast, server: Server) -> None:
    calling(cast, call(server, "/gate"))
    send(cast, *range(5))
    drain()
    worker = Running()
    until(lambda: server.now == 5)
    worker.stop()
    assert Effect.objects.filter(lease=0, attempts=0).count() == 5
    server.open.set()
    worker = Running()
    until(lambda: len(server.calls) == 10)
    worker.stop()
    drain()
    assert saved(cast) == list(range(5))
    assert set(server.keys.values()) == {2}


def test_work_of_a_worker_whose_lease_ended_has_one_continuation(cast: Cast, server: Server) -> None:
    calling(cast, call(server, "/gate"))
    send(cast, *range(20))
    drain()
    with running() as slow:
        until(lambda: server.now == 20)
        Effect.objects.update(due_time=0)  # as if it had not renewed them
        with running():
            until(lambda: server.now == 40)
            server.open.set()
            settle()
        slow.ask_to_stop()
    assert sum(row.messages for row in OutboxRow.objects.all()) == 0
    assert saved(cast) == list(range(20))
    assert len(server.calls) == 40


def test_work_that_is_begun_too_often_without_an_end_fails(cast: Cast, server: Server) -> None:
    calling(cast, call(server))
    send(cast, 1)
    drain()
    Effect.objects.update(attempts=QUICK.attempts)  # of workers that died
    with running():
        settle()
    assert [letter.error for letter in letters()] == [
        f"The work outside was begun {QUICK.attempts} times and never came to an end."
    ]
    assert server.calls == []


def test_a_trace_says_that_a_message_waits_and_another_one_how_it_went_on(cast: Cast, server: Server) -> None:
    calling(cast, call(server))
    with transaction.atomic():
        start_trace(cast.acme.pk, EntityId(EntityType.DEVICE, cast.device.pk), messages=5, minutes=5)
    OutboxRow.objects.all().delete()
    send(cast, 1)
    with running():
        settle()
    before, after = Trace.objects.order_by("created_time", "id")
    assert before.message_id == after.message_id
    (step,) = before.steps
    assert [out.get("waits") for out in step["out"]] == [True]
    assert [(step["nodeName"], step.get("back", False), step["from"]) for step in after.steps] == [
        ("node 0", True, None),
        ("node 1", False, 0),
    ]
    assert after.steps[1]["by"] == "Success"
    assert [line.came for line in page_of(after).steps] == ["back from where it waited", ""]
    assert page_of(before).steps[0].outputs[0].label == "waits"
