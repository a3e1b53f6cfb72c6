"""Chains that call, messages that go through them, and what arrived behind."""

import uuid
from typing import Any

from rules.models import RuleChain
from rules.node import Node
from rules.nodes.action.save_time_series import SaveTimeSeries
from telemetry.query import HistoryQuery
from telemetry.services import history
from tests.cast import Cast
from tests.rules.effects.calls import Call, Server
from tests.rules.engine.world import drain, make_chain, queue, telemetry
from thingsboard.kernel.models import DeadLetter, OutboxRow

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
