"""Copy to view: attributes of an entity are those of its views, too, as far as these show them."""

from typing import Any

import pytest

from rules.node.deeds import ViewKeys
from rules.nodes.action.copy_to_view import CopyToView
from telemetry.points import Scope
from tests.rules.nodes.context import CUSTOMER, DEVICE, NOW, World, entity, message
from tests.rules.nodes.running import failed, made, relations, run_one
from thingsboard.kernel.ids import EntityId, EntityType

SHOWS = {Scope.CLIENT: frozenset({"a", "b"}), Scope.SERVER: frozenset({"s"}), Scope.SHARED: frozenset()}


def view(number: int, start: int = 0, end: int = 0, keys: Any = SHOWS) -> ViewKeys:
    return ViewKeys(entity(number, EntityType.ENTITY_VIEW), keys, start, end)


def saved(world: World) -> list[tuple[EntityId, Scope, dict[str, Any]]]:
    return [each[:3] for each in world.attributes_saved]


def test_its_configuration_is_the_empty_one() -> None:
    assert CopyToView.defaults() == {"version": 0}


def test_each_view_gets_what_it_shows_and_a_message_of_its_own(world: World) -> None:
    some = {Scope.CLIENT: frozenset({"b"})}
    world.deeds.shown[DEVICE] = [view(1), view(2, keys=some)]
    posted = message({"a": 1, "b": "x", "c": True}, "POST_ATTRIBUTES_REQUEST", deviceName="D")
    (outcome,) = made(CopyToView).run(world, [posted])
    one, other = view(1).view, view(2).view
    assert saved(world) == [(one, Scope.CLIENT, {"a": 1, "b": "x"}), (other, Scope.CLIENT, {"b": "x"})]
    assert relations(outcome) == ["Success", "Success"]
    assert [each.msg for each in outcome] == [posted.with_originator(each, CUSTOMER) for each in (one, other)]


@pytest.mark.parametrize("type", ["ATTRIBUTES_UPDATED", "ACTIVITY_EVENT", "INACTIVITY_EVENT"])
def test_the_metadata_name_the_scope_of_what_the_platform_says(world: World, type: str) -> None:
    world.deeds.shown[DEVICE] = [view(1)]
    made(CopyToView).run(world, [message({"s": 1, "a": 2}, type, scope="SERVER_SCOPE")])
    assert saved(world) == [(view(1).view, Scope.SERVER, {"s": 1})]
    assert "scope" in failed(run_one(made(CopyToView), world, message({"s": 1}, type, other="x"))).lower()


def test_where_a_view_shows_none_of_it_its_message_goes_on_all_the_same(world: World) -> None:
    world.deeds.shown[DEVICE] = [view(1)]
    outcome: Any = run_one(made(CopyToView), world, message({"c": 1}, "POST_ATTRIBUTES_REQUEST", deviceName="D"))
    assert relations(outcome) == ["Success"] and saved(world) == []


def test_what_was_deleted_is_deleted_of_views_that_show_it(world: World) -> None:
    world.deeds.shown[DEVICE] = [view(1), view(2, keys={})]
    deleted = message({"attributes": ["s", "a", 7]}, "ATTRIBUTES_DELETED", scope="SERVER_SCOPE")
    outcome: Any = run_one(made(CopyToView), world, deleted)
    assert world.deeds.done == [("delete attributes", view(1).view, Scope.SERVER, ["s"], False, False)]
    assert [each.msg.originator for each in outcome] == [view(1).view]
    broken = message({"keys": []}, "ATTRIBUTES_DELETED", scope="SERVER_SCOPE")
    assert "attributes" in failed(run_one(made(CopyToView), world, broken))


def test_views_of_other_times_and_entities_without_views_are_left_alone(world: World) -> None:
    world.deeds.shown[DEVICE] = [view(1, start=NOW), view(2, end=NOW), view(3, start=NOW - 1, end=NOW + 1)]
    posted = [
        message({"a": 1}, "POST_ATTRIBUTES_REQUEST", originator=each, deviceName="D") for each in (DEVICE, entity(2))
    ]
    one, other = made(CopyToView).run(world, posted)
    assert [each.msg.originator for each in one] == [view(3).view] and other == ()
    assert world.deeds.asked == [{DEVICE, entity(2)}]


def test_other_messages_and_those_without_metadata_or_attributes_fail(world: World) -> None:
    world.deeds.shown[DEVICE] = [view(1)]
    node = made(CopyToView)
    assert failed(run_one(node, world, message({"a": 1}, x="y"))) == "Unsupported msg type [POST_TELEMETRY_REQUEST]"
    assert failed(run_one(node, world, message({"a": 1}, "POST_ATTRIBUTES_REQUEST"))) == "Message metadata is empty"
    assert failed(run_one(node, world, message(raw=b"[", type="POST_ATTRIBUTES_REQUEST", deviceName="D")))
