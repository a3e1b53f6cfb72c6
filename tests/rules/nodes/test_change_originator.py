"""Change originator: to customer, tenant, a related entity, what an alarm is about, or who has a name."""

from typing import Any

import pytest

from rules.node.lookups import Walk, Wanted
from rules.nodes.transformation.change_originator import ChangeOriginator
from tests.rules.nodes.context import CUSTOMER, DEVICE, TENANT, World, device, entity, message
from tests.rules.nodes.running import failed, made, run_one
from thingsboard.kernel.ids import EntityId, EntityType

BISTRO = EntityId(EntityType.CUSTOMER, CUSTOMER)
HALL, GONE = entity(7, EntityType.ASSET), entity(8)
NOBODY = "Failed to find new originator!"


def test_the_customer_becomes_the_originator_and_one_stays_itself(world: World) -> None:
    nobodys = entity(3)
    world.known = {DEVICE: device(), nobodys: device()._replace(customer_id=None)}
    messages = [message({"x": 1}, originator=each, ts="5") for each in (DEVICE, BISTRO, nobodys, GONE)]
    mine, itself, none, gone = made(ChangeOriginator).run(world, messages)
    assert mine.relation == itself.relation == "Success"
    assert mine.msg.originator == itself.msg.originator == BISTRO
    assert (mine.msg.data.value, mine.msg.metadata, mine.msg.id) == ({"x": 1}, {"ts": "5"}, messages[0].id)
    assert failed(none) == failed(gone) == NOBODY
    assert world.asked == ["describe"]


def test_the_message_keeps_its_customer_and_gets_one_that_it_had_not(world: World) -> None:
    other = entity(9).id
    world.known = {DEVICE: device()}
    kept = run_one(made(ChangeOriginator), world, message({})._replace(customer_id=other))
    assert kept.msg.customer_id == other
    assert run_one(made(ChangeOriginator), world, message({})._replace(customer_id=None)).msg.customer_id == CUSTOMER


def test_what_ingest_stored_is_stored_no_more_for_another_originator(world: World) -> None:
    outcome = run_one(made(ChangeOriginator, {"originatorSource": "TENANT"}), world, message({}, stored=True))
    assert outcome.msg.originator == EntityId(EntityType.TENANT, TENANT)
    assert outcome.msg.stored is False and world.asked == []


def test_the_first_related_entity_becomes_the_originator(world: World) -> None:
    world.look.nearest = {DEVICE: HALL}
    query = {"direction": "TO", "maxLevel": 2, "filters": [{"relationType": "Manages", "entityTypes": ["ASSET"]}]}
    node = made(ChangeOriginator, {"originatorSource": "RELATED", "relationsQuery": query})
    there, gone, again = node.run(world, [message({}), message({}, originator=GONE), message({})])
    assert there.msg.originator == again.msg.originator == HALL
    assert failed(gone) == NOBODY
    assert world.look.walks == [Walk("TO", 2, (Wanted("Manages", (EntityType.ASSET,)),))]


def test_what_an_alarm_is_about_becomes_the_originator(world: World) -> None:
    alarm = EntityId(EntityType.ALARM, world.alarms.has(HALL, "Hot"))
    unknown = entity(5, EntityType.ALARM)
    node = made(ChangeOriginator, {"originatorSource": "ALARM_ORIGINATOR"})
    about, gone, no_alarm = node.run(world, [message({}, originator=each) for each in (alarm, unknown, DEVICE)])
    assert about.msg.originator == HALL
    assert failed(gone) == NOBODY
    assert failed(no_alarm) == "Unexpected originator EntityType DEVICE"


def test_who_has_the_name_becomes_the_originator(world: World) -> None:
    world.look.names = {(EntityType.ASSET, "Hall 1"): HALL}
    node = made(
        ChangeOriginator, {"originatorSource": "ENTITY", "entityType": "ASSET", "entityNamePattern": "Hall $[no]"}
    )
    there, missing, bad = node.run(world, [message({"no": 1}), message({"no": 2}), message(raw=b"no json")])
    assert there.msg.originator == HALL
    assert failed(missing) == "Failed to find asset with name 'Hall 2'!"
    assert "line 1 column 1" in failed(bad)
    assert world.asked == ["named"]


def test_an_entity_view_is_called_so_where_it_is_missing(world: World) -> None:
    config = {"originatorSource": "ENTITY", "entityType": "ENTITY_VIEW", "entityNamePattern": "V"}
    error = failed(run_one(made(ChangeOriginator, config), world, message({})))
    assert error == "Failed to find entity view with name 'V'!"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (
            {"originatorSource": "RELATED"},
            "Relations query should be specified if 'Related entity' source is selected.",
        ),
        ({"originatorSource": "RELATED", "relationsQuery": {"direction": "UP"}}, "Unknown direction"),
        ({"originatorSource": "ENTITY", "entityNamePattern": "a"}, "Entity type should be specified if"),
        (
            {"originatorSource": "ENTITY", "entityType": "ASSET", "entityNamePattern": ""},
            "Name pattern should be specified if",
        ),
        (
            {"originatorSource": "ENTITY", "entityType": "TENANT", "entityNamePattern": "a"},
            "Unexpected entity type TENANT",
        ),
        ({"originatorSource": "MOON"}, "MOON"),
    ],
)
def test_what_cannot_work_is_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made(ChangeOriginator, wrong)
