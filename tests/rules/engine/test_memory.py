"""What a node remembers is part of what happened: it is true once the batch is committed, and gone with a batch that is not."""

from collections.abc import Sequence

import pytest

from alarms.models import Alarm
from rules.engine.drain import Drain
from rules.models import Queue
from rules.nodes.action.create_alarm import CreateAlarm
from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.enrichment.calculate_delta import CalculateDelta
from telemetry import services
from telemetry.points import Point
from telemetry.query import HistoryQuery
from tests.cast import Cast
from tests.rules.engine.world import drain, make_chain, queue, refused, telemetry, waiting
from tests.waiting import until
from thingsboard.kernel.models import DeadLetter, OutboxRow

pytestmark = pytest.mark.django_db(transaction=True)

ORDERED = "SequentialByOriginator"


@pytest.fixture
def metered(cast: Cast) -> Cast:
    """Readings, which are not stored, become alarms that tell the difference."""
    make_chain(
        cast.acme.pk,
        [
            (CalculateDelta, {}),
            (CreateAlarm, {"alarmType": "$[kind] by $[delta] to $[pulseCounter]"}),
        ],
        [(0, 1, "Success")],
    )
    OutboxRow.objects.all().delete()
    return cast


def send(cast: Cast, *readings: int, name: str = "Main", bad: int = 0, kind: str = "Rose") -> None:
    """Readings in one batch, one of which has another kind."""
    bodies = [
        b'{"pulseCounter":%d,"kind":"%s"}' % (reading, kind.encode() if reading == bad else b"Rose")
        for reading in readings
    ]
    queue(cast.acme.pk, *[telemetry(cast.device.pk, body, 1000) for body in bodies], name=name)


def alarms(cast: Cast) -> Sequence[str]:
    types = Alarm.objects.filter(originator_id=cast.device.pk, type__startswith="Rose").order_by("type")
    return list(types.values_list("type", flat=True))


def test_each_reading_is_the_one_before_its_next_within_a_batch_and_beyond(metered: Cast) -> None:
    send(metered, 10, 12)
    drain()
    send(metered, 17)
    drain()
    assert alarms(metered) == ["Rose by 0 to 10", "Rose by 2 to 12", "Rose by 5 to 17"]


def test_the_parts_of_a_spoiled_batch_know_each_other_and_what_the_culprit_did_before_it_failed(metered: Cast) -> None:
    send(metered, 10, 12, 13, 17, 20, bad=13, kind="Lost")
    with refused("Lost by 1 to 13"):
        drain()
    assert alarms(metered) == ["Rose by 0 to 10", "Rose by 2 to 12", "Rose by 3 to 20", "Rose by 4 to 17"]
    assert DeadLetter.objects.filter(originator_id=metered.device.pk, type="POST_TELEMETRY_REQUEST").count() == 1


def test_of_a_spoiled_batch_one_message_is_the_first_in_its_interval(cast: Cast) -> None:
    once = {"processingSettings": {"type": "DEDUPLICATE", "deduplicationIntervalSecs": 60}}
    alarm = (CreateAlarm, {"alarmType": "$[kind]"})
    make_chain(cast.acme.pk, [(SaveTimeSeries, once), alarm], [(0, 1, "Success")])
    bodies = [b'{"kind":"%s","n":%d}' % (b"Lost" if n == 5 else b"Rose", n) for n in range(8)]
    queue(cast.acme.pk, *[telemetry(cast.device.pk, body, 1000 + n) for n, body in enumerate(bodies)])
    with refused("Lost"):
        drain()
    assert DeadLetter.objects.filter(originator_id=cast.device.pk, type="POST_TELEMETRY_REQUEST").count() == 1
    stored = services.history(cast.device.pk, HistoryQuery(["n"], 0, 10_000, descending=False))
    assert stored["n"] == [Point(1000, 0)]


def test_a_batch_that_is_rolled_back_and_runs_again_remembers_nothing_of_the_first_time(metered: Cast) -> None:
    retry = {"type": "RETRY_FAILED_AND_TIMED_OUT", "retries": 1, "pauseBetweenRetries": 0.01}
    Queue.objects.filter(name=ORDERED).update(processing_strategy=retry)
    send(metered, 10, 12, 13, 17, name=ORDERED, bad=13, kind="x" * 300)
    worker = Drain()

    def done() -> bool:
        drain(worker)
        return not waiting()

    until(done)
    worker.close()
    assert alarms(metered) == ["Rose by 0 to 10", "Rose by 2 to 12", "Rose by 4 to 17"]
