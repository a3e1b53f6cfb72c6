"""Work outside that does not succeed, and work that cannot be begun any more; what traces say of either."""

import pytest
from django.db import connection, transaction

from rules.admin.trace_looks import page_of
from rules.models import Queue, Trace
from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.services.dead_letters import retry
from rules.services.traces import start_trace
from tests.cast import Cast
from tests.rules.effects.calls import QUICK, Call, Server, running, settle
from tests.rules.effects.scene import call, calling, letters, saved, send
from tests.rules.engine.world import drain, make_chain
from tests.waiting import until
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import DeadLetter, Effect, OutboxRow

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_a_database_that_ends_its_connections_costs_no_message(cast: Cast, server: Server) -> None:
    calling(cast, call(server, "/gate"))
    send(cast, *range(20))
    drain()
    before = backends()
    with running():
        until(lambda: server.now == 20)
        # Not those of this process's other threads: what comes after this test does not expect to lose them.
        ended = [pid for pid in backends() if pid not in before]
        assert ended
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) pid", [ended])
        server.open.set()
        settle()
    assert saved(cast) == list(range(20))
    assert len(server.calls) == 20  # and nothing was begun anew


def backends() -> list[int]:
    """The processes that serve this test's database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        return [pid for (pid,) in cursor.fetchall()]
