"""Queues that keep the order of their originators keep it beyond work outside (architecture.md 1, promise 3)."""

import json

import pytest

from alarms.models import Alarm
from rules.models import Queue
from rules.nodes.action.create_alarm import CreateAlarm
from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.enrichment.calculate_delta import CalculateDelta
from telemetry.services import latest
from tests.cast import Cast
from tests.rules.effects.calls import Call, Server, running, settle
from tests.rules.effects.scene import call, calling, drained, letters, saved, send
from tests.rules.engine.world import drain, make_chain, queue, telemetry, waiting
from tests.waiting import until
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import DeadLetter, Effect, OutboxRow
from thingsboard.kernel.outbox import Message

pytestmark = pytest.mark.django_db(transaction=True)

ORDERED = "SequentialByOriginator"


@pytest.fixture(autouse=True)
def _quick() -> None:
    """Pauses of milliseconds, two retries."""
    again = {"type": "RETRY_FAILED_AND_TIMED_OUT", "retries": 2, "pauseBetweenRetries": 0.01}
    Queue.objects.filter(name=ORDERED).update(processing_strategy=again)


def numbers(server: Server) -> list[int]:
    """Of the messages, in the order of their calls."""
    return [json.loads(body)["t"] for _, body in server.calls]


def test_a_later_message_calls_only_after_the_earlier_one_went_on(cast: Cast, server: Server) -> None:
    calling(cast, call(server, "/gate"))
    send(cast, 1, 2, 3, name=ORDERED)
    drain()
    send(cast, 4, 5, name=ORDERED)
    drain()
    assert Effect.objects.filter(parked=False).count() == 1 and Effect.objects.filter(parked=True).count() == 4
    assert not waiting()
    with running():
        until(lambda: drained() and server.calls)
        assert numbers(server) == [1] and saved(cast) == []
        server.open.set()
        settle()
    assert numbers(server) == [1, 2, 3, 4, 5]
    assert server.most == 1
    assert saved(cast) == [1, 2, 3, 4, 5]


def test_what_came_while_the_answer_was_on_its_way_stays_behind_it(cast: Cast, server: Server) -> None:
    server.open.set()
    calling(cast, call(server, "/"), call(server, "/second"))
    send(cast, 1, name=ORDERED)
    drain()
    with running():
        until(lambda: Effect.objects.filter(parked=True).exists())  # answered, and nobody has drained
        send(cast, 2, 3, name=ORDERED)
        settle()
    assert [(path, json.loads(body)["t"]) for path, body in server.calls] == [
        (path, number) for number in (1, 2, 3) for path in ("/", "/second")
    ]
    assert saved(cast) == [1, 2, 3]


def test_what_a_node_remembers_goes_on_along_the_line(cast: Cast) -> None:
    nodes = [(CalculateDelta, {"inputValueKey": "t"}), (CreateAlarm, {"alarmType": "$[delta] to $[t]"}), (Call, {})]
    make_chain(cast.acme.pk, nodes, [(0, 1, "Success"), (1, 2, "Never")])
    OutboxRow.objects.all().delete()
    send(cast, 10, 12, 17, name=ORDERED)
    drain()
    alarms = Alarm.objects.filter(originator_id=cast.device.pk, type__contains="to").order_by("type")
    assert list(alarms.values_list("type", flat=True)) == ["0 to 10", "2 to 12", "5 to 17"]


def test_other_originators_do_not_wait(cast: Cast, server: Server) -> None:
    calling(cast, call(server, "/gate"))
    devices = [cast.device.pk, cast.bobs_device.pk]
    OutboxRow.objects.all().delete()
    queue(
        cast.acme.pk,
        *[telemetry(device, b'{"t":%d}' % number) for number in (1, 2) for device in devices],
        name=ORDERED,
    )
    drain()
    with running():
        until(lambda: server.now == 2)
        assert numbers(server) == [1, 1]
        server.open.set()
        settle()
    assert [latest(device)["t"].value for device in devices] == [2, 2]


def test_hundreds_of_messages_in_line_go_on_in_order(cast: Cast, server: Server) -> None:
    chain = calling(cast, call(server, "/gate"))
    send(cast, *range(300), name=ORDERED)
    drain()
    with running():
        until(lambda: server.now == 1)
        make_chain(cast.acme.pk, [(SaveTimeSeries, {})], chain=chain)  # the others need not call
        server.open.set()
        settle()
    assert numbers(server) == [0]
    assert len(saved(cast)) + len(letters()) == 300  # the node of the first is gone


def test_a_failure_in_line_is_tried_again_before_the_next_and_then_buried(cast: Cast, server: Server) -> None:
    calling(cast, call(server))
    bad = Message("POST_TELEMETRY_REQUEST", EntityId(EntityType.DEVICE, cast.device.pk), b"[]", None, 1)
    queue(cast.acme.pk, bad, name=ORDERED)
    send(cast, 1, 2, name=ORDERED)
    with running():
        settle()
    assert saved(cast) == [1, 2]
    assert len(letters()) == 1
    assert [body for _, body in server.calls] == ["[]", '{"t":1}', '{"t":2}']


def test_a_queue_that_keeps_no_order_any_more_empties_its_lines(cast: Cast, server: Server) -> None:
    calling(cast, call(server, "/gate"))
    send(cast, 1, 2, 3, name=ORDERED)
    drain()
    Queue.objects.filter(name=ORDERED).update(submit_strategy={"type": "BURST"})
    with running():
        until(lambda: server.now == 1)
        server.open.set()
        settle()
    assert saved(cast) == [1, 2, 3]


def test_work_in_line_that_failed_is_done_again_in_its_place_as_often_as_its_queue_says(
    cast: Cast, server: Server
) -> None:
    calling(cast, call(server, "/bad"))
    send(cast, 1, 2, name=ORDERED)
    with running():
        settle()
    assert numbers(server) == [1, 1, 1, 2, 2, 2]
    assert [letter.error for letter in letters()] == ["The server said 500."] * 2


def test_bytes_in_line_that_nobody_understands_are_put_aside(cast: Cast, server: Server) -> None:
    calling(cast, call(server))
    send(cast, 1, 2, 3, name=ORDERED)
    drain()
    second = Effect.objects.filter(parked=True).order_by("order_no").first()
    Effect.objects.filter(pk=second.pk).update(body=b"\xc1 no msgpack")  # type: ignore[union-attr]
    with running():
        settle()
    assert saved(cast) == [1, 3]
    assert DeadLetter.objects.filter(type="UNREADABLE").count() == 1
