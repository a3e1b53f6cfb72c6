"""What queues do with messages that failed: bury them at once, try them again behind the others, or let the others wait."""

import time
import uuid

import pytest

from rules.engine.drain import Drain
from rules.models import Queue
from rules.nodes.action.save_attributes import SaveAttributes
from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.filter.check_fields_presence import CheckFieldsPresence
from telemetry.services import latest
from tests.cast import Cast
from tests.rules.engine.world import drain, make_chain, queue, telemetry, waiting
from tests.waiting import until
from thingsboard.kernel import outbox
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import DeadLetter, OutboxRow
from thingsboard.kernel.outbox import Message

pytestmark = pytest.mark.django_db(transaction=True)

HIGH, ORDERED = "HighPriority", "SequentialByOriginator"


@pytest.fixture(autouse=True)
def _quick() -> None:
    """Pauses of milliseconds, two retries."""
    Queue.objects.filter(name__in=[HIGH, ORDERED]).update(
        processing_strategy={"type": "RETRY_FAILED_AND_TIMED_OUT", "retries": 2, "pauseBetweenRetries": 0.01}
    )


def letters() -> list[DeadLetter]:
    return list(DeadLetter.objects.filter(type="POST_TELEMETRY_REQUEST").order_by("id"))


def until_done() -> None:
    worker = Drain()

    def done() -> bool:
        drain(worker)
        return not waiting()

    until(done)
    worker.close()


def passing(tenant_id: uuid.UUID) -> None:
    """What has `t` is saved, everything else fails, for nothing is connected to the save node's Failure."""
    make_chain(tenant_id, [(SaveTimeSeries, {})])
    OutboxRow.objects.all().delete()


def bad(device: uuid.UUID) -> Message:
    return telemetry(device, b"[]", 5)


def good(device: uuid.UUID, number: int) -> Message:
    return telemetry(device, b'{"t":%d}' % number, 1000 + number)


def test_main_buries_what_failed_and_goes_on(cast: Cast) -> None:
    device = cast.device.pk
    passing(cast.acme.pk)
    queue(cast.acme.pk, good(device, 1), bad(device), good(device, 2))
    drain()
    assert waiting() == 0
    (letter,) = letters()
    assert (letter.attempts, letter.queue) == (1, "Main")
    assert "Msg body is empty" in letter.error
    assert letter.node_id and letter.chain_id
    assert latest(device)["t"].value == 2


def test_high_priority_tries_again_behind_the_others_and_then_buries(cast: Cast) -> None:
    device = cast.device.pk
    passing(cast.acme.pk)
    queue(cast.acme.pk, bad(device), good(device, 1), name=HIGH)
    drain(groups=[outbox.group_of(outbox.lane_of(device.bytes))])
    assert latest(device)["t"].value == 1
    until_done()
    (letter,) = letters()
    assert (letter.attempts, letter.queue) == (3, HIGH)


def test_what_is_mended_in_time_is_not_buried(cast: Cast) -> None:
    device = cast.device.pk
    chain = make_chain(cast.acme.pk, [("org.example.Later", {})])
    OutboxRow.objects.all().delete()
    Queue.objects.filter(name=HIGH).update(
        processing_strategy={"type": "RETRY_FAILED_AND_TIMED_OUT", "retries": 0, "pauseBetweenRetries": 0.01}
    )
    queue(cast.acme.pk, good(device, 1), name=HIGH)
    worker = Drain()
    deadline = time.monotonic() + 20
    while not OutboxRow.objects.filter(retries__gte=3).exists():
        drain(worker)
        assert time.monotonic() < deadline
    worker.close()
    make_chain(cast.acme.pk, [(SaveTimeSeries, {})], chain=chain)
    until_done()
    assert letters() == []
    assert latest(device)["t"].value == 1


def test_in_order_nothing_behind_a_failure_is_processed_before_it_is_buried(cast: Cast) -> None:
    device = cast.device.pk
    passing(cast.acme.pk)
    queue(cast.acme.pk, good(device, 1), bad(device), good(device, 2), name=ORDERED)
    drain()
    assert latest(device)["t"].value == 1
    assert waiting() == 2
    assert letters() == []
    until_done()
    (letter,) = letters()
    assert (letter.attempts, letter.queue) == (3, ORDERED)
    assert latest(device)["t"].value == 2


def test_a_failure_that_leads_somewhere_is_none_of_the_message(cast: Cast) -> None:
    device = cast.device.pk
    make_chain(cast.acme.pk, [(SaveTimeSeries, {}), (CheckFieldsPresence, {})], [(0, 1, "failure")])
    OutboxRow.objects.all().delete()
    queue(cast.acme.pk, bad(device))
    drain()
    assert (waiting(), letters()) == (0, [])


def test_messages_of_an_attribute_and_of_telemetry_share_the_order_of_their_device(cast: Cast) -> None:
    device = cast.device.pk
    make_chain(cast.acme.pk, [(SaveAttributes, {"scope": "CLIENT_SCOPE"})])
    OutboxRow.objects.all().delete()
    entity = EntityId(EntityType.DEVICE, device)
    said = [Message("POST_ATTRIBUTES_REQUEST", entity, b'{"n":%d}' % number, None, number) for number in range(5)]
    queue(cast.acme.pk, *said[:3], bad(device), *said[3:], name=ORDERED)
    until_done()
    assert len(letters()) == 1
