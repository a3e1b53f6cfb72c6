"""The durable queue: what is appended is there with the commit, encoded once, and in order."""

import uuid

import pytest
from django.db import transaction

from thingsboard.kernel import outbox
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import OutboxFlow, OutboxRow
from thingsboard.kernel.outbox import Message, Position

DEVICE = EntityId(EntityType.DEVICE, uuid.uuid4())
TENANT = uuid.uuid4()


def message(data: bytes = b"{}", originator: EntityId = DEVICE) -> Message:
    return Message("ENTITY_UPDATED", originator, data, {"userName": "alice"}, ts=5)


def test_a_message_is_what_it_was_after_its_way_through_a_body() -> None:
    position = Position(b"c" * 16, b"n" * 16, "Success", ((b"a" * 16, b"b" * 16),), 7)
    full = Message("X", DEVICE, b'{"a":1}', None, 9, uuid.uuid4(), uuid.uuid4(), True, position)
    assert outbox.decode(outbox.encode([message().row(), full.row()])) == [message(), full]


@pytest.mark.django_db
def test_what_is_appended_is_a_row_of_its_flow() -> None:
    with transaction.atomic():
        outbox.append(TENANT, message(b'{"a":1}'))
    row = OutboxRow.objects.get()
    flow = OutboxFlow.objects.get(pk=row.flow_id)
    assert (flow.tenant_id, flow.queue, flow.lane) == (TENANT, "Main", outbox.lane_of(DEVICE.id.bytes))
    assert row.messages == 1
    assert row.size == len(row.body)
    assert outbox.decode(row.body) == [message(b'{"a":1}')]


@pytest.mark.django_db
def test_a_transaction_that_is_rolled_back_appended_nothing() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        outbox.append(TENANT, message())
        raise RuntimeError
    assert not OutboxRow.objects.exists()


@pytest.mark.django_db
def test_the_messages_of_an_originator_stay_in_order_in_one_lane_whatever_their_size() -> None:
    large = [message(b'"%d%s"' % (number, b"x" * 300_000)) for number in range(9)]
    with transaction.atomic():
        outbox.append_many(TENANT, large)
    rows = list(OutboxRow.objects.order_by("xid", "id"))
    assert len(rows) > 1
    assert len({row.flow_id for row in rows}) == 1
    assert [each for row in rows for each in outbox.decode(row.body)] == large


@pytest.mark.django_db(transaction=True)
def test_outside_of_a_transaction_nothing_can_be_appended() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        outbox.append(TENANT, message())
