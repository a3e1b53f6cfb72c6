"""However messages are batched, their deeds leave the same: owners, relations and attributes."""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from devices.models import Asset, Device, EntityRelation
from devices.services.assets import AssetFields, create_asset
from rules.engine import fairness
from rules.nodes.action.assign_to_customer import AssignToCustomer
from rules.nodes.action.create_relation import CreateRelation
from rules.nodes.action.delete_attributes import DeleteAttributes
from rules.nodes.action.delete_relation import DeleteRelation
from rules.nodes.action.save_attributes import SaveAttributes
from rules.nodes.action.unassign_from_customer import UnassignFromCustomer
from rules.nodes.filter.message_type_filter import MessageTypeFilter
from telemetry import services
from telemetry.points import Scope
from tests.cast import Cast
from tests.rules.engine.test_contract import run, three
from tests.rules.engine.world import make_chain
from thingsboard.kernel import time
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import DeadLetter
from thingsboard.kernel.outbox import Message

pytestmark = pytest.mark.django_db(transaction=True)

COUNT = 100
TO = {"direction": "FROM", "entityType": "ASSET", "entityNamePattern": "$[to]"}
DEEDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "POST_ATTRIBUTES_REQUEST": (SaveAttributes, {"updateAttributesOnlyOnValueChange": True}),
    "Forget": (DeleteAttributes, {"keys": ["a"]}),
    "Give": (AssignToCustomer, {"customerNamePattern": "$[to]", "createCustomerIfNotExists": True}),
    "Take": (UnassignFromCustomer, {}),
    "Move": (CreateRelation, {**TO, "removeCurrentRelations": True}),
    "Relate": (CreateRelation, TO),
    "Part": (DeleteRelation, {**TO, "deleteForSingleEntity": True}),
}


@pytest.fixture(autouse=True)
def _still() -> Iterator[None]:
    time.set_source(lambda: 1_800_000_000.0)
    yield
    time.set_source(None)


def chain(cast: Cast) -> None:
    """A filter for each type, and behind it its node: what comes later in the chain belongs to earlier messages, too."""
    nodes: list[Any] = []
    lines: list[tuple[int, int, str]] = []
    for kind, deed in DEEDS.items():
        if nodes:
            lines.append((len(nodes) - 2, len(nodes), "False"))
        lines.append((len(nodes), len(nodes) + 1, "True"))
        nodes += [(MessageTypeFilter, {"messageTypes": [kind]}), deed]
    make_chain(cast.acme.pk, nodes, lines)


def mixed(devices: list[Device], count: int) -> list[Message]:
    dice = random.Random(11)
    messages = []
    for number in range(count):
        entity = EntityId(EntityType.DEVICE, devices[dice.randrange(3)].pk)
        body = b'{"a":%d,"b":1,"to":"%s"}' % (dice.randrange(3), dice.choice([b"One", b"Two", b"Gone"]))
        messages.append(Message(dice.choice(list(DEEDS)), entity, body, {"number": str(number)}, 1000 + number))
    return messages


def state(device: Device) -> tuple[Any, ...]:
    """What is left of a device's deeds, and how many there were."""
    found = Device.objects.select_related("customer").get(pk=device.pk)
    related = EntityRelation.objects.filter(from_id=device.pk).values_list("to_id", flat=True)
    return (
        found.customer and found.customer.title,
        found.version - device.version,
        sorted(Asset.objects.filter(pk__in=list(related)).values_list("name", flat=True)),
        [tuple(each) for each in services.attributes(device.pk, Scope.SERVER, ["a", "b", "to"])],
        sorted(DeadLetter.objects.filter(originator_id=device.pk).values_list("error", flat=True)),
    )


def test_one_by_one_and_as_one_batch_are_the_same(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("One", "Two"):
        create_asset(cast.acme.pk, AssetFields(name=name))
    chain(cast)
    outcomes = []
    for name, size in (("Single", 1), ("Batch", COUNT)):
        devices = three(cast, name)
        monkeypatch.setattr(fairness.Turns, "size", lambda self, flow, most=size: most)
        run(cast.acme.pk, mixed(devices, COUNT), lambda size=size: size)  # type: ignore[misc]
        outcomes.append([state(device) for device in devices])
    assert outcomes[1] == outcomes[0]
    assert all(any(device[number] for device in outcomes[0]) for number in range(5)), outcomes[0]
