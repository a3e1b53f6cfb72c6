"""However messages are batched, and however many timers fire at a time, what waited does the same in the end."""

import random
import uuid

import pytest

from rules.engine import fairness
from rules.models import HeldMessage
from rules.nodes.action.delay import Delay
from rules.nodes.action.message_count import MessageCount
from rules.nodes.action.save_attributes import SaveAttributes
from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.filter.message_type_switch import MessageTypeSwitch
from rules.nodes.flow.checkpoint import Checkpoint
from rules.nodes.transformation.deduplication import Deduplication
from tests.cast import Cast
from tests.rules.engine.clock import BEGIN, Clock, clock
from tests.rules.engine.test_contract import differing, mixed, run, tables, three
from tests.rules.engine.world import make_chain
from thingsboard.kernel.models import Timer

__all__ = ["clock"]

pytestmark = pytest.mark.django_db(transaction=True)

SUCCESS = "Success"


def chain(tenant_id: uuid.UUID) -> None:
    """Telemetry is held back and delayed, attributes go through another queue, everything is counted."""
    make_chain(
        tenant_id,
        [
            (MessageTypeSwitch, {}),
            (Deduplication, {"interval": 1, "strategy": "LAST"}),
            (Delay, {"periodInSeconds": 2, "maxPendingMsgs": 1000}),
            (SaveTimeSeries, {}),
            (Deduplication, {"interval": 1, "strategy": "ALL", "outMsgType": "PACK"}),
            (SaveTimeSeries, {}),
            (Checkpoint, {}),
            (SaveAttributes, {"scope": "CLIENT_SCOPE"}),
            (MessageCount, {}),
        ],
        [
            (0, 1, "Post telemetry"), (1, 2, SUCCESS), (2, 3, SUCCESS), (0, 4, "Post telemetry"), (4, 5, SUCCESS),
            (0, 6, "Post attributes"), (6, 7, SUCCESS), (0, 8, "Post telemetry"), (0, 8, "Post attributes"),
        ],
    )  # fmt: skip


def test_one_by_one_and_as_one_batch_wait_the_same(
    cast: Cast, clock: Clock, monkeypatch: pytest.MonkeyPatch, count: int = 150
) -> None:
    chain(cast.acme.pk)
    dice = random.Random(3)
    outcomes = []
    for name, sizes, most, at_once in (
        ("Single", lambda: 1, 1, 1),
        ("Batch", lambda: count, 2000, 2000),
        ("Some", lambda: dice.randrange(1, 40), 30, 7),
    ):
        clock.now = BEGIN
        devices = three(cast, name)
        monkeypatch.setattr(fairness.Turns, "size", lambda self, flow, most=most: most)
        run(cast.acme.pk, mixed(devices, count), sizes)
        assert HeldMessage.objects.exists()
        for _ in range(5):
            clock.move(1001).run(most=at_once)
        assert not Timer.objects.exists() and not HeldMessage.objects.exists()
        outcomes.append(tables(devices))
    assert all(device[table] for device in outcomes[0] for table in ("history", "latest", "attributes", "dead"))
    assert differing(outcomes[1], outcomes[0]) == {}
    assert differing(outcomes[2], outcomes[0]) == {}
