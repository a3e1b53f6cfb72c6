"""A dry run of nodes that wait: told, not done."""

import uuid

import pytest

from devices.models import Rpc
from rules.models import HeldMessage
from rules.nodes.action.delay import Delay
from rules.nodes.action.rpc_call_request import RpcCallRequest
from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.flow.checkpoint import Checkpoint
from rules.nodes.transformation.deduplication import Deduplication
from rules.services.dry_run import dry_run
from tests.cast import Cast
from tests.rules.engine.clock import BEGIN, Clock, clock
from tests.rules.engine.world import make_chain, telemetry
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import Timer
from thingsboard.kernel.outbox import Message

__all__ = ["clock"]

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_would_wait_goes_on_at_once_and_says_until_when_it_would(cast: Cast, clock: Clock) -> None:
    chain = make_chain(
        cast.acme.pk, [(Delay, {"periodInSeconds": 9}), (Checkpoint, {}), (SaveTimeSeries, {}), (Deduplication, {})],
        [(0, 1, "Success"), (1, 2, "Success"), (2, 3, "Success")],
    )  # fmt: skip
    (tried,) = dry_run(chain, [telemetry(cast.device.pk, b'{"t":1}')])
    told = [(each["effect"], each.get("until"), each.get("queue")) for each in tried.effects]
    assert told == [
        ("wait", BEGIN + 9000, None),
        ("wait", None, "Main"),
        ("save time series", None, None),
        ("hold back", None, None),
    ]
    assert tried.outcome == "done"
    assert not Timer.objects.exists() and not HeldMessage.objects.exists()


def test_a_device_is_not_called(cast: Cast, clock: Clock) -> None:
    chain = make_chain(cast.acme.pk, [(RpcCallRequest, {})])
    said = {"persistent": "true", "requestUUID": str(uuid.uuid4())}
    device = EntityId(EntityType.DEVICE, cast.device.pk)
    call = Message("RPC_CALL_FROM_SERVER_TO_DEVICE", device, b'{"method":"on","params":1}', said)
    (tried,) = dry_run(chain, [call])
    assert [(each["effect"], each["method"], each["params"]) for each in tried.effects] == [("call", "on", "1")]
    assert not Rpc.objects.exists()
