"""Messages wait for their time in the database, and everything that a node made wait goes on once, or with the node."""

import uuid
from typing import Any

import orjson
import psycopg
import pytest
from django.conf import settings
from django.test import override_settings

from devices.models import Rpc
from devices.services.answers import RpcError, answer_call
from devices.services.calls import KIND, node_channel
from rules.engine.drain import Drain
from rules.models import HeldMessage, RuleChain
from rules.nodes.action.delay import Delay
from rules.nodes.action.rpc_call_request import RpcCallRequest
from rules.nodes.action.save_attributes import SaveAttributes
from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.flow.checkpoint import Checkpoint
from rules.nodes.transformation.deduplication import Deduplication
from telemetry.services import latest
from tests.cast import Cast
from tests.queued import queued
from tests.rules.engine.clock import BEGIN, Clock, clock
from tests.rules.engine.world import drain, make_chain, queue, telemetry, waiting
from thingsboard.kernel import bus
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import DeadLetter, OutboxRow, Timer
from thingsboard.kernel.outbox import Message

__all__ = ["clock"]

pytestmark = pytest.mark.django_db(transaction=True)

SAVE_ALL = (SaveTimeSeries, {})
CALL = Message(
    "RPC_CALL_FROM_SERVER_TO_DEVICE", EntityId(EntityType.DEVICE, uuid.uuid4()), b'{"method":"on","params":{}}', {}
)


@pytest.fixture(autouse=True)
def _only_what_the_test_says(cast: Cast) -> None:
    """That devices were made is told to the chains, too."""
    assert cast.device.pk and cast.foreign_device.pk
    OutboxRow.objects.all().delete()


def letters() -> list[str]:
    return [letter.error for letter in DeadLetter.objects.order_by("id")]


def call(cast: Cast, request: uuid.UUID, **metadata: str) -> Message:
    device = EntityId(EntityType.DEVICE, cast.device.pk)
    return CALL._replace(originator=device, metadata={"requestUUID": str(request), **metadata})


def calling(cast: Cast) -> None:
    """A chain that saves what a device answers, or why it does not."""
    make_chain(cast.acme.pk, [(RpcCallRequest, {}), (SaveAttributes, {}), (SaveAttributes, {})],
               [(0, 1, "Success"), (0, 2, "Failure")])  # fmt: skip


def saved(cast: Cast) -> list[tuple[str, str, Any]]:
    """The bodies that arrived behind the node: what cannot be saved there is a dead letter with the body."""
    return [(m.type, m.metadata.get("error", "") if m.metadata else "", orjson.loads(m.data)) for _, m in queued()]


def test_a_delayed_message_goes_on_when_its_time_has_come(cast: Cast, clock: Clock) -> None:
    make_chain(cast.acme.pk, [(Delay, {"periodInSeconds": 10}), SAVE_ALL], [(0, 1, "Success")])
    queue(cast.acme.pk, telemetry(cast.device.pk, b'{"t":1}', 1), telemetry(cast.device.pk, b'{"t":2}', 2))
    drain()
    assert waiting() == 0 and Timer.objects.count() == 2
    clock.move(9_999).run()
    assert "t" not in latest(cast.device.pk)
    clock.move(1).run()
    assert latest(cast.device.pk)["t"] == (2, 2) and not Timer.objects.exists()


def test_at_a_full_node_and_in_a_full_tenant_messages_fail(cast: Cast, clock: Clock) -> None:
    make_chain(cast.acme.pk, [(Delay, {"maxPendingMsgs": 3})])
    queue(cast.acme.pk, *[telemetry(cast.device.pk, b"{}") for _ in range(2)])
    drain()
    queue(cast.acme.pk, *[telemetry(cast.device.pk, b"{}") for _ in range(2)])
    drain()
    assert letters() == ["Max limit of pending messages reached!"] and Timer.objects.count() == 3
    make_chain(cast.globex.pk, [(Delay, {})])
    with override_settings(TB_RULE_WAITING_MESSAGES=1):
        queue(cast.globex.pk, *[telemetry(cast.foreign_device.pk, b"{}") for _ in range(2)])
        drain()
    assert letters()[1:] == ["1 messages of the tenant wait already; at most 1 may (TB_RULE_WAITING_MESSAGES)."]


def test_a_message_that_waited_returns_to_the_chain_that_called(cast: Cast, clock: Clock) -> None:
    inner = make_chain(cast.acme.pk, [(Checkpoint, {}), ("org.thingsboard.rule.engine.flow.TbRuleChainOutputNode", {})],
                       [(0, 1, "Success")], root=False)  # fmt: skip
    make_chain(
        cast.acme.pk,
        [("org.thingsboard.rule.engine.flow.TbRuleChainInputNode", {"ruleChainId": str(inner.pk)}), SAVE_ALL],
        [(0, 1, "node 1")],
    )
    queue(cast.acme.pk, telemetry(cast.device.pk, b'{"t":7}', 5))
    drain()
    assert latest(cast.device.pk)["t"] == (5, 7)


def test_an_answer_goes_on_once_and_later_nothing_does(cast: Cast, clock: Clock) -> None:
    calling(cast)
    request = uuid.uuid4()
    queue(cast.acme.pk, call(cast, request))
    drain()
    assert not answer_call(cast.globex.pk, request, b'{"stranger":true}')
    assert answer_call(cast.acme.pk, request, b'{"pin":1}')
    assert saved(cast) == [(CALL.type, "", {"pin": 1})]
    assert not answer_call(cast.acme.pk, request, error=RpcError.TIMEOUT)
    clock.move(3_600_000).run()
    assert not Timer.objects.exists()
    assert len(letters()) == 1  # the answer is no attribute: once


def test_without_an_answer_the_message_fails_in_time_and_an_answer_comes_too_late(cast: Cast, clock: Clock) -> None:
    make_chain(cast.acme.pk, [(RpcCallRequest, {"timeoutInSeconds": 5})])
    request = uuid.uuid4()
    queue(cast.acme.pk, call(cast, request))
    drain()
    clock.move(5_000).run()
    assert letters() == ["NO_ACTIVE_CONNECTION"]
    assert not answer_call(cast.acme.pk, request, b"{}")


def test_an_error_of_the_transport_is_the_failure_of_the_message(cast: Cast, clock: Clock) -> None:
    calling(cast)
    request = uuid.uuid4()
    queue(cast.acme.pk, call(cast, request))
    drain()
    assert answer_call(cast.acme.pk, request, error=RpcError.FORBIDDEN)
    assert saved(cast) == [(CALL.type, "FORBIDDEN", {"error": "FORBIDDEN"})]


def test_a_call_is_told_to_the_node_that_has_the_device_and_to_nobody_else(cast: Cast, clock: Clock) -> None:
    calling(cast)
    node, request = uuid.uuid4(), uuid.uuid4()
    connect(cast.device.pk, node)
    listener = bus.client().pubsub(ignore_subscribe_messages=True)
    listener.subscribe(bus.PREFIX + node_channel(node))
    listener.get_message(timeout=5)
    queue(cast.acme.pk, call(cast, request, oneway="true"))
    drain()
    heard = next(found for _ in range(50) if (found := listener.get_message(timeout=0.2)))
    listener.close()
    letter = orjson.loads(heard["data"])
    (item,) = letter[KIND]
    assert item[:3] == [str(request), str(cast.acme.pk), str(cast.device.pk)]
    assert item[4:] == ["on", "{}", True, BEGIN + 60_000, None]
    clock.move(60_000).run()
    assert "TIMEOUT" in str(DeadLetter.objects.get().body)


def test_a_persistent_call_is_kept_for_the_device(cast: Cast, clock: Clock) -> None:
    make_chain(cast.acme.pk, [(RpcCallRequest, {}), SAVE_ALL], [(0, 1, "Success")])
    request = uuid.uuid4()
    queue(cast.acme.pk, call(cast, request, persistent="true", retries="2"))
    drain()
    rpc = Rpc.objects.get()
    assert (rpc.pk, rpc.tenant_id, rpc.device_id, rpc.status, rpc.retries) == (
        request, cast.acme.pk, cast.device.pk, "QUEUED", 2,
    )  # fmt: skip
    assert rpc.request["body"] == {"method": "on", "params": "{}"}
    assert (rpc.request["deviceId"]["id"], rpc.request["persisted"]) == (str(cast.device.pk), True)
    assert rpc.expiration_time == BEGIN + 60_000 and not Timer.objects.exists()


def test_a_checkpoint_puts_messages_into_its_queue(cast: Cast, clock: Clock) -> None:
    chain = make_chain(cast.acme.pk, [(Checkpoint, {}), SAVE_ALL], [(0, 1, "Success")])
    with_queue(chain, 0, "HighPriority")
    queue(cast.acme.pk, telemetry(cast.device.pk, b'{"t":1}', 9))
    worker = Drain()
    for group in range(settings.TB_RULE_DRAINS):
        worker.work(group, 0.0, linger_s=0.0)  # one round
    assert [name for name, _ in queued()] == ["HighPriority"]
    drain(worker)
    worker.close()
    assert latest(cast.device.pk)["t"] == (9, 1)


def test_what_many_originators_hold_back_takes_few_statements(
    cast: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_chain(cast.acme.pk, [(Deduplication, {"interval": 5, "strategy": "LAST"})])
    devices = [uuid.uuid4() for _ in range(1000)]
    worker = Drain()
    queue(cast.acme.pk, telemetry(devices[0], b"{}"))
    drain(worker)
    counts = Statements(monkeypatch)
    queue(cast.acme.pk, *[telemetry(device, b'{"n":%d}' % n) for device in devices for n in (1, 2)])
    drain(worker)
    assert HeldMessage.objects.count() == 2001 and Timer.objects.count() == 1000
    assert counts.of("rules_heldmessage") + counts.of("kernel_timer") < 60  # for some 16 rows of the queue in 4 lanes
    counts.clear()
    clock.move(5001).run(worker)
    worker.close()
    assert not HeldMessage.objects.exists() and not Timer.objects.exists()
    assert counts.of("rules_heldmessage") + counts.of("kernel_timer") < 60
    assert not letters()


class Statements:
    """What psycopg's cursors are asked from now on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[str] = []
        execute = psycopg.Cursor.execute

        def counted(cursor: Any, query: Any, *args: Any, **options: Any) -> Any:
            self.seen.append(str(query))
            return execute(cursor, query, *args, **options)

        monkeypatch.setattr(psycopg.Cursor, "execute", counted)

    def of(self, table: str) -> int:
        return sum(table in each for each in self.seen)

    def clear(self) -> None:
        self.seen.clear()


def test_a_node_that_is_another_one_now_is_not_woken_and_nothing_is_buried(cast: Cast, clock: Clock) -> None:
    chain = make_chain(cast.acme.pk, [(Deduplication, {"interval": 1})])
    queue(cast.acme.pk, telemetry(cast.device.pk, b"{}"))
    drain()
    make_chain(cast.acme.pk, [SAVE_ALL], chain=chain)
    clock.move(10_000).run()
    assert not Timer.objects.exists() and not letters()


def test_a_message_whose_node_is_gone_is_buried(cast: Cast, clock: Clock) -> None:
    chain = make_chain(cast.acme.pk, [(Delay, {"periodInSeconds": 1})])
    queue(cast.acme.pk, telemetry(cast.device.pk, b"{}"))
    drain()
    make_chain(cast.acme.pk, [SAVE_ALL], chain=chain)
    clock.move(1000).run()
    assert letters() == ["The rule node at which the message was to go on is gone."]


def with_queue(chain: RuleChain, number: int, name: str) -> None:
    definition = chain.versions.get(number=chain.version).definition
    definition["nodes"][number]["queueName"] = name
    chain.versions.filter(number=chain.version).update(definition=definition)


def connect(device: uuid.UUID, node: uuid.UUID) -> None:
    """As a transport claims a session."""
    from django.db import connection

    from devices.services.sessions import CLAIM_SQL, RENEW_SQL

    with connection.cursor() as cursor:
        cursor.execute(RENEW_SQL, {"node": node, "seconds": 600})
        cursor.execute(CLAIM_SQL, {"node": node, "devices": [device], "grace": 1000})
