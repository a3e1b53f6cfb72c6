"""Relations: between whom, for whose eyes, where they lead, and that none is left behind."""

import threading
import uuid
from typing import Any

import pytest
from django.db import connection, transaction

from devices.models import Asset, Device, Direction, EntityRelation, RelationGroup
from devices.services.assets import AssetFields, create_asset, delete_asset
from devices.services.devices import DeviceFields, create_device, delete_device
from devices.services.relation_search import Question, RelationFilter, exists, exists_many, search
from devices.services.relations import RelationKey, delete_relation, delete_relations, save_relation
from telemetry.store.connect import connect
from tenants.models import AuditLog
from tenants.services.customers import delete_customer
from tenants.services.tenants import delete_tenant
from tests.cast import Cast
from tests.waiting import until, waits_for_a_lock
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import BadRequest, NotFound, VersionConflict
from thingsboard.kernel.ids import EntityId, EntityType

FROM, TO = Direction.FROM, Direction.TO


def device(row: Any) -> EntityId:
    return EntityId(EntityType.DEVICE, row.pk)


def assets(cast: Cast, *names: str) -> list[EntityId]:
    return [EntityId(EntityType.ASSET, create_asset(cast.acme.pk, AssetFields(name=name)).pk) for name in names]


def relate(cast: Cast, start: EntityId, end: EntityId, type: str = "Contains", **fields: Any) -> EntityRelation:
    return save_relation(cast.acme.pk, RelationKey(start, type, end), **fields)


def ends(found: Any, direction: Direction = FROM) -> list[EntityId]:
    return [each.to_entity if direction is FROM else each.from_entity for each in found.relations]


def test_a_relation_is_made_once_and_what_is_said_about_it_replaced(cast: Cast) -> None:
    (hall,), meter = assets(cast, "Hall"), device(cast.device)
    made = relate(cast, hall, meter, additional_info={"wall": 1})
    assert (made.version, made.group, made.from_entity, made.to_entity) == (1, "COMMON", hall, meter)
    assert relate(cast, hall, meter, additional_info={"wall": 1}).version == 1
    assert relate(cast, hall, meter, additional_info={"wall": 2}, version=1).version == 2
    with pytest.raises(VersionConflict):
        relate(cast, hall, meter, additional_info={"wall": 3}, version=1)
    assert EntityRelation.objects.get().additional_info == {"wall": 2}
    relate(cast, hall, meter, "Manages")
    save_relation(cast.acme.pk, RelationKey(hall, "Contains", meter, RelationGroup.DASHBOARD))
    assert EntityRelation.objects.out_of(hall).count() == EntityRelation.objects.into(meter).count() == 3


def test_both_ends_are_told_of_in_the_audit_log(cast: Cast) -> None:
    (hall,), meter = assets(cast, "Hall"), device(cast.device)
    relate(cast, hall, meter)
    delete_relation(cast.acme.pk, RelationKey(hall, "Contains", meter))
    delete_relations(cast.acme.pk, meter)
    rows = AuditLog.objects.filter(action__startswith="RELATION_").order_by("created_time", "id")
    names = sorted((row.entity_type, row.entity_name) for row in rows)
    assert names == [("ASSET", "Hall")] * 2 + [("DEVICE", "Meter")] * 2
    assert [set(row.data) for row in rows] == [{"after"}, {"after"}, {"before"}, {"before"}]
    assert [row.action for row in rows] == ["RELATION_ADD_OR_UPDATE"] * 2 + ["RELATION_DELETED"] * 2
    assert AuditLog.objects.get(action="RELATIONS_DELETED").entity_name == "Meter"


def test_both_ends_must_be_the_tenants_own(cast: Cast) -> None:
    meter = device(cast.device)
    strangers = (
        device(cast.foreign_device),
        EntityId(EntityType.TENANT, cast.globex.pk),
        EntityId(EntityType.USER, cast.sam.pk),
        EntityId(EntityType.TENANT_PROFILE, cast.acme.profile_id),
        EntityId(EntityType.ASSET, cast.device.pk),
        EntityId(EntityType.RULE_NODE, uuid.uuid4()),
    )
    for stranger in strangers:
        for key in (RelationKey(meter, "Contains", stranger), RelationKey(stranger, "Contains", meter)):
            with pytest.raises(BadRequest, match="non-existent"):
                save_relation(cast.acme.pk, key)
    for own in (EntityId(EntityType.TENANT, cast.acme.pk), EntityId(EntityType.USER, cast.alice.pk)):
        relate(cast, own, meter)
    assert EntityRelation.objects.count() == 2


@pytest.mark.parametrize(
    ("type", "group", "says"), [(" ", "COMMON", "type should be"), ("x" * 256, "COMMON", "length"), ("x", "MINE", "typeGroup")]
)  # fmt: skip
def test_what_cannot_be_a_relation_is_refused(cast: Cast, type: str, group: str, says: str) -> None:
    meter = device(cast.device)
    with pytest.raises(BadRequest, match=says):
        save_relation(cast.acme.pk, RelationKey(meter, type, meter, group))


def test_a_relation_is_taken_back_by_its_tenant_alone(cast: Cast) -> None:
    meter, oven = device(cast.device), device(cast.bobs_device)
    key = RelationKey(meter, "Contains", oven)
    relate(cast, meter, oven)
    with pytest.raises(BadRequest, match="non-existent"):
        delete_relation(cast.globex.pk, key)
    with pytest.raises(NotFound):
        delete_relations(cast.globex.pk, meter)
    assert delete_relation(cast.acme.pk, key).to_entity == oven
    with pytest.raises(NotFound):
        delete_relation(cast.acme.pk, key)


def test_all_common_relations_of_an_entity_are_taken_back_in_both_directions(cast: Cast) -> None:
    hall, yard = assets(cast, "Hall", "Yard")
    meter = device(cast.device)
    relate(cast, hall, meter)
    relate(cast, meter, yard)
    relate(cast, hall, yard)
    save_relation(cast.acme.pk, RelationKey(hall, "Contains", meter, RelationGroup.EDGE))
    assert delete_relations(cast.acme.pk, meter) == 2
    assert {(each.group, each.to_entity) for each in EntityRelation.objects.all()} == {
        ("EDGE", meter),
        ("COMMON", yard),
    }


def test_a_customer_user_sees_the_relations_of_which_it_sees_both_ends(cast: Cast) -> None:
    meter, oven = device(cast.device), device(cast.bobs_device)
    second = device(create_device(cast.acme.pk, DeviceFields(name="Second oven"), customer=cast.bistro))
    relate(cast, oven, meter)
    relate(cast, meter, oven)
    seen = relate(cast, oven, second)
    assert EntityRelation.objects.visible_to(cast.bob).get() == seen
    assert EntityRelation.objects.visible_to(cast.bob, Action.MANAGE).get() == seen
    assert EntityRelation.objects.visible_to(cast.alice).count() == 3
    for stranger in (cast.gina, cast.sam, None):
        assert not EntityRelation.objects.visible_to(stranger).exists()


def test_a_walk_follows_relations_level_by_level_in_both_directions(cast: Cast) -> None:
    site, hall, line = assets(cast, "Site", "Hall", "Line")
    meter = device(cast.device)
    for start, end in ((site, hall), (hall, line), (line, meter)):
        relate(cast, start, end)
    rows = EntityRelation.objects.visible_to(cast.alice)
    assert ends(search(rows, site, FROM)) == [hall]
    assert ends(search(rows, site, FROM, levels=10)) == [hall, line, meter]
    assert ends(search(rows, meter, TO, levels=2), TO) == [line, hall]
    assert ends(search(EntityRelation.objects.visible_to(cast.gina), site, FROM, levels=10)) == []
    for levels in (0, 11):
        with pytest.raises(BadRequest, match="maxLevel"):
            search(rows, site, FROM, levels=levels)


def test_the_last_level_is_where_the_walk_ends(cast: Cast) -> None:
    site, hall, yard, line = assets(cast, "Site", "Hall", "Yard", "Line")
    meter = device(cast.device)
    for start, end in ((site, hall), (site, yard), (hall, line), (line, meter)):
        relate(cast, start, end)
    rows = EntityRelation.objects.all()
    assert ends(search(rows, site, FROM, levels=2, last_level_only=True)) == [yard, line]
    assert ends(search(rows, site, FROM, levels=10, last_level_only=True)) == [yard, meter]


def test_filters_choose_by_type_and_kind_and_do_not_stop_the_walk(cast: Cast) -> None:
    site, hall = assets(cast, "Site", "Hall")
    meter, oven = device(cast.device), device(cast.bobs_device)
    relate(cast, site, hall, "Has")
    relate(cast, hall, meter)
    relate(cast, hall, oven, "Feeds")

    def found(*filters: RelationFilter) -> list[EntityId]:
        return ends(search(EntityRelation.objects.all(), site, FROM, levels=5, filters=filters))

    devices = frozenset({EntityType.DEVICE})
    assert found(RelationFilter(kinds=devices)) == [meter, oven]
    assert found(RelationFilter("Contains")) == [meter]
    assert found(RelationFilter("Contains", frozenset({EntityType.ASSET}))) == []
    assert found(RelationFilter("Contains", negate=True)) == [hall, oven]
    assert found(RelationFilter("Has"), RelationFilter("Feeds")) == [hall, oven]


def test_a_walk_ends_in_circles_and_at_its_bound(cast: Cast) -> None:
    ring = assets(cast, "A", "B", "C")
    for start, end in zip(ring, ring[1:] + ring[:1], strict=True):
        relate(cast, start, end)
    relate(cast, ring[0], ring[0])
    whole = search(EntityRelation.objects.all(), ring[0], FROM, levels=10)
    assert (len(whole.relations), whole.complete) == (4, True)
    assert search(EntityRelation.objects.all(), ring[0], FROM, levels=10, most=4).complete
    cut = search(EntityRelation.objects.all(), ring[0], FROM, levels=10, most=3)
    assert (len(cut.relations), cut.complete) == (3, False)


def test_many_questions_are_answered_at_once_as_one_by_one(cast: Cast) -> None:
    hall, yard = assets(cast, "Hall", "Yard")
    meter = device(cast.device)
    relate(cast, hall, meter)
    save_relation(cast.acme.pk, RelationKey(yard, "Contains", meter, RelationGroup.EDGE))
    questions = [
        Question(direction, entity, type, other)
        for direction in (FROM, TO)
        for entity in (hall, yard, meter)
        for type in ("Contains", "Manages")
        for other in (None, hall, meter)
    ]
    right = {
        Question(FROM, hall, "Contains"),
        Question(FROM, hall, "Contains", meter),
        Question(TO, meter, "Contains"),
        Question(TO, meter, "Contains", hall),
    }
    expected = [each in right for each in questions]
    assert [exists(each) for each in questions] == expected
    assert exists_many(connection.connection, questions) == expected
    assert exists_many(connection.connection, []) == []


def test_relations_go_with_either_end_and_with_their_tenant(cast: Cast) -> None:
    hall, yard = assets(cast, "Hall", "Yard")
    meter, oven, customer = device(cast.device), device(cast.bobs_device), EntityId(EntityType.CUSTOMER, cast.bistro.pk)
    for start, end in ((hall, meter), (meter, yard), (customer, oven), (hall, oven), (yard, oven)):
        relate(cast, start, end)
    kept = save_relation(
        cast.globex.pk, RelationKey(device(cast.foreign_device), "Is", EntityId(EntityType.TENANT, cast.globex.pk))
    )
    delete_device(cast.device)
    assert EntityRelation.objects.count() == 4
    delete_customer(cast.bistro)
    assert EntityRelation.objects.count() == 3
    delete_asset(Asset.objects.get(pk=hall.id))
    assert EntityRelation.objects.count() == 2
    delete_tenant(cast.acme)
    assert EntityRelation.objects.get() == kept


@pytest.mark.django_db(transaction=True)
def test_a_relation_that_is_made_while_its_end_is_deleted_is_not_left_behind(transactional_db: None) -> None:
    cast = Cast()
    meter, oven = device(cast.device), device(cast.bobs_device)

    def delete() -> None:
        try:
            delete_device(Device.objects.get(pk=meter.id))
        finally:
            connection.close()

    with transaction.atomic():
        relate(cast, meter, oven)
        other = threading.Thread(target=delete)
        other.start()
        until(waits_for_a_lock)
    other.join(10)
    assert not Device.objects.filter(pk=meter.id).exists()
    assert not EntityRelation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_relation_waits_for_who_deletes_its_end_and_is_refused_then(transactional_db: None) -> None:
    cast = Cast()
    meter, oven = device(cast.device), device(cast.bobs_device)
    refused: list[BadRequest] = []

    def make() -> None:
        try:
            relate(cast, oven, meter)
        except BadRequest as error:
            refused.append(error)
        finally:
            connection.close()

    with transaction.atomic():
        delete_device(cast.device)
        other = threading.Thread(target=make)
        other.start()
        until(waits_for_a_lock)
    other.join(10)
    assert (len(refused), EntityRelation.objects.count()) == (1, 0)


@pytest.mark.django_db(transaction=True)
def test_the_same_relation_made_twice_at_once_is_one(transactional_db: None) -> None:
    cast = Cast()
    meter, oven = device(cast.device), device(cast.bobs_device)

    def make() -> None:
        try:
            relate(cast, meter, oven, additional_info={"second": True})
        finally:
            connection.close()

    with transaction.atomic():
        relate(cast, meter, oven)
        other = threading.Thread(target=make)
        other.start()
        until(waits_for_a_lock)
    other.join(10)
    found = EntityRelation.objects.get()
    assert (found.additional_info, found.version) == ({"second": True}, 2)
    with connect("thingsboard relations test") as own:
        assert exists_many(own, [Question(FROM, meter, "Contains", oven)]) == [True]
