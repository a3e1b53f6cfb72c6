"""What nodes look up comes from the database, in a few statements for a batch, and never from another tenant."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection

from devices.models import Device
from devices.services.assets import AssetFields, create_asset
from devices.services.devices import DeviceFields, create_device
from devices.services.relations import RelationKey, save_relation
from rules.engine.context import BatchContext
from rules.engine.tools import Tools
from rules.node.lookups import Sampling, Walk, Wanted, Window
from telemetry.points import Aggregation, Point, Scope
from telemetry.store.batch import introspect
from tests.cast import Cast
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId, EntityType

pytestmark = pytest.mark.django_db

CONTAINED = (Wanted("Contains"),)


@pytest.fixture
def ctx(cast: Cast) -> Iterator[BatchContext]:
    """A batch of Acme's."""
    own = tools()
    yield BatchContext(own, cast.acme.pk)
    own.close()


def tools() -> Tools:
    connection.ensure_connection()
    raw: Any = connection.connection
    return Tools(raw, introspect(raw))


def asset(cast: Cast, name: str) -> EntityId:
    return EntityId(EntityType.ASSET, create_asset(cast.acme.pk, AssetFields(name=name)).pk)


def device(cast: Cast, name: str, type: str = "") -> EntityId:
    return of(create_device(cast.acme.pk, DeviceFields(name=name, type=type)))


def of(device: Device) -> EntityId:
    return EntityId(EntityType.DEVICE, device.pk)


def relate(cast: Cast, *pairs: tuple[EntityId, EntityId], type: str = "Contains") -> None:
    for start, end in pairs:
        save_relation(cast.acme.pk, RelationKey(start, type, end))


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the engine's own cursors run."""
    seen: list[str] = []
    execute: Callable[..., Any] = psycopg.Cursor.execute

    def counted(self: Any, query: Any, *args: Any, **options: Any) -> Any:
        seen.append(str(query))
        return execute(self, query, *args, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", counted)
    return seen


def test_a_walk_finds_the_nearest_that_is_wanted_and_of_those_the_oldest(cast: Cast, ctx: BatchContext) -> None:
    house, floor, cellar = (asset(cast, name) for name in ("House", "Floor", "Cellar"))
    warm, hot, cold = device(cast, "Warm"), device(cast, "Hot", "boiler"), device(cast, "Cold", "fridge")
    relate(cast, (house, floor), (floor, warm), (floor, hot), (house, cellar), (cellar, cold))
    relate(cast, (floor, cold), type="Manages")
    roots = [house, floor, cellar, warm]

    def found(*walk: Any, **more: Any) -> dict[EntityId, EntityId]:
        return dict(ctx.look.related(Walk(*walk, **more), roots))

    assert found("FROM") == {house: floor, floor: warm, cellar: cold}
    assert found("TO") == {floor: house, cellar: house, warm: floor}
    assert found("TO", 2, (Wanted("Contains", (EntityType.ASSET,)),)) == {floor: house, cellar: house, warm: floor}
    devices = (Wanted("Contains", (EntityType.DEVICE,)),)
    assert found("FROM", 1, devices) == {floor: warm, cellar: cold}
    assert found("FROM", 2, devices) == {house: warm, floor: warm, cellar: cold}
    assert found("FROM", 2, devices, profiles=("boiler", "fridge")) == {house: hot, floor: hot, cellar: cold}
    assert found("FROM", 9, (Wanted("Manages"),)) == {house: cold, floor: cold}
    assert found("FROM", 1, (Wanted("Owns"), Wanted("", (EntityType.DEVICE,)))) == {floor: warm, cellar: cold}


def test_a_walk_to_its_end_wants_the_last_level_and_entities_without_any_further(cast: Cast, ctx: BatchContext) -> None:
    house, floor, shed = (asset(cast, name) for name in ("House", "Floor", "Shed"))
    warm = device(cast, "Warm")
    relate(cast, (house, floor), (house, shed), (floor, warm), (warm, house))

    def found(levels: int, wanted: tuple[Wanted, ...] = CONTAINED) -> dict[EntityId, EntityId]:
        return dict(ctx.look.related(Walk("FROM", levels, wanted, last_level_only=True), [house, floor, shed]))

    assert found(1) == {house: floor, floor: warm}
    assert found(2) == {house: shed, floor: house}
    assert found(2, (Wanted("", (EntityType.DEVICE,)),)) == {house: warm}
    assert found(100) == {house: shed, floor: shed}  # in a circle, which ends where it meets itself


def test_nothing_of_another_tenant_is_found(cast: Cast, ctx: BatchContext) -> None:
    mine, foreign = of(cast.device), of(cast.foreign_device)
    hall = asset(cast, "Hall")
    relate(cast, (hall, mine))
    stranger = BatchContext(tools(), cast.globex.pk)
    assert ctx.look.related(Walk("FROM"), [hall]) == {hall: mine}
    assert stranger.look.related(Walk("FROM"), [hall]) == {}
    assert stranger.look.related(Walk("FROM", 3, last_level_only=True), [hall]) == {}
    assert ctx.look.named(EntityType.DEVICE, ["Meter", "Hall", "a\0b"]) == {"Meter": mine}
    assert stranger.look.named(EntityType.DEVICE, ["Meter"]) == {"Meter": foreign}
    users = ctx.look.named(EntityType.USER, ["alice@acme.example", "gina@globex.example"])
    assert users == {"alice@acme.example": EntityId(EntityType.USER, cast.alice.pk)}
    assert ctx.look.named(EntityType.EDGE, ["Meter"]) == {}
    assert ctx.look.named(EntityType.ASSET, ["Hall"]) == {"Hall": hall}
    told = ctx.look.credentials([mine, foreign, hall, EntityId(EntityType.ASSET, mine.id)])
    assert told == {mine: ("ACCESS_TOKEN", "acme-meter", None)}
    assert ctx.describe([foreign, EntityId(EntityType.TENANT, cast.globex.pk)]) == {}


def test_a_thousand_messages_ask_with_as_many_statements_as_one(
    cast: Cast, ctx: BatchContext, statements: list[str]
) -> None:
    hall, mine = asset(cast, "Hall"), of(cast.device)
    relate(cast, (hall, mine))
    many = [EntityId(EntityType.ASSET, uuid.uuid4()) for _ in range(999)]
    statements.clear()
    assert ctx.look.related(Walk("FROM", 3, (Wanted("Owns"),)), [hall, *many]) == {}
    assert len(statements) <= 6
    statements.clear()
    assert len(ctx.look.credentials([mine, *(EntityId(EntityType.DEVICE, each.id) for each in many)])) == 1
    windows = [Window(each, ("t",), 0, 10) for each in (mine, *many)]
    assert list(ctx.look.history(windows, Sampling())) == [{}] * 1000
    assert len(statements) == 2


def test_a_walk_over_too_many_relations_is_refused_and_one_at_a_time_where_they_are_too_many_together(
    cast: Cast, ctx: BatchContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("devices.services.relation_walks.MOST_MET", 3)
    halls = [asset(cast, f"Hall {number}") for number in range(2)]
    for hall in halls:
        relate(cast, *[(hall, device(cast, f"{number} of {hall.id}")) for number in range(3)])
    assert ctx.look.related(Walk("FROM", 2, (Wanted("Owns"),)), halls) == {}
    relate(cast, (halls[0], halls[1]))
    assert len(ctx.look.related(Walk("FROM"), halls)) == 2
    with pytest.raises(BadRequest, match="more than 3 relations"):
        ctx.look.related(Walk("FROM", 2, (Wanted("Owns"),)), halls)


def test_a_name_that_no_key_can_have_is_not_there_and_does_not_spoil_the_batch(cast: Cast, ctx: BatchContext) -> None:
    meter = of(cast.device)
    ctx.save_attributes(meter, Scope.CLIENT, {"a": 1})
    ctx.save_points(meter, [(1000, {"t": 2})])
    ctx.flush()
    names = ["\0", "a\0", "a", "t"]
    assert ctx.attributes(Scope.CLIENT, names, [meter])[meter].keys() == {"a"}
    assert ctx.latest(names, [meter])[meter] == {"t": Point(1000, 2)}


def test_history_has_what_is_stored_and_what_the_batch_has_written(cast: Cast, ctx: BatchContext) -> None:
    mine, other = of(cast.device), of(cast.bobs_device)
    ctx.save_points(mine, [(ts, {"t": ts, "s": f"no {ts}"}) for ts in (1, 2, 3, 4)])
    ctx.save_points(other, [(2, {"t": 20.5})])
    ctx.flush()
    ctx.save_points(mine, [(5, {"t": 50}), (3, {"t": 30})])

    def read(*windows: Window, **sampling: Any) -> list[Any]:
        return list(ctx.look.history(windows, Sampling(**sampling)))

    assert read(Window(mine, ("t",), 0, 9), Window(other, ("t", "u"), 0, 9)) == [{"t": [(1, 1)]}, {"t": [(2, 20.5)]}]
    newest = read(Window(mine, ("t", "s"), 0, 9), descending=True)
    assert newest == [{"t": [Point(5, 50)], "s": [Point(4, "no 4")]}]
    assert read(Window(mine, ("t",), 2, 5), limit=2) == [{"t": [(2, 2), (3, 30)]}]
    assert read(Window(mine, ("t",), 6, 9), Window(mine, ("t\0",), 0, 9)) == [{}, {}]
    assert read(Window(mine, ("t",), 2, 6), agg=Aggregation.SUM) == [{"t": [(4, 86)]}]
    assert read(Window(mine, ("t",), 6, 9), agg=Aggregation.COUNT) == [{}]


def test_an_aggregation_counts_stored_points_and_those_to_be_written_once(cast: Cast, ctx: BatchContext) -> None:
    mine = of(cast.device)
    ctx.save_points(mine, [(1, {"n": 7, "s": "b"}), (2, {"n": 1.5, "s": 3}), (3, {"n": True}), (4, {"n": 100})])
    ctx.flush()

    def read(agg: Aggregation) -> dict[str, Any]:
        (found,) = ctx.look.history([Window(mine, ("n", "s"), 1, 10)], Sampling(agg=agg))
        assert all(point.ts == 5 for (point,) in found.values())
        return {key: point.value for key, (point,) in found.items()}

    def all_of_it() -> list[dict[str, Any]]:
        return [read(agg) for agg in Aggregation if agg is not Aggregation.NONE]

    ctx.save_points(mine, [(4, {"n": 2}), (5, {"n": 0, "s": "a"}), (6, {"n": 9.5, "s": 4}), (10, {"n": -1000})])
    ctx.save_points(mine, [(5, {"n": 11})], history=False)
    ahead = all_of_it()
    ctx.flush()
    assert ahead == all_of_it()
    assert ahead == [
        {"n": 0.0, "s": "a"},
        {"n": 9.5, "s": "b"},
        {"n": 4.0, "s": 3.5},
        {"n": 20.0, "s": 7},
        {"n": 6, "s": 4},
    ]


def test_history_is_read_in_parts_that_fit_into_memory(
    cast: Cast, ctx: BatchContext, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rules.engine.lookups.MOST_POINTS", 100)
    mine = of(cast.device)
    ctx.save_points(mine, [(ts, {"t": ts}) for ts in range(30)])
    statements.clear()
    found = list(ctx.look.history([Window(mine, ("t",), start, 30) for start in range(25)], Sampling(10)))
    assert [len(each["t"]) for each in found] == [10] * 21 + [9, 8, 7, 6]
    assert len([each for each in statements if "ts_kv_all" in each]) == 3


def test_history_that_takes_too_long_or_has_no_sum_fails_the_message_and_not_the_transaction(
    cast: Cast, ctx: BatchContext, settings: Any
) -> None:
    mine = of(cast.device)
    ctx.save_points(mine, [(ts, {"t": 1.7e308}) for ts in range(1, 5)])
    window = Window(mine, ("t",), 0, 9)
    with pytest.raises(ValueError, match="larger than a double"):
        list(ctx.look.history([window], Sampling(agg=Aggregation.SUM)))
    settings.TB_TS_QUERY_SECONDS = 0.001
    many = [Window(mine, ("t",), start % 3, 9) for start in range(3000)]
    with pytest.raises(ValueError, match="took longer than"):
        list(ctx.look.history(many, Sampling(agg=Aggregation.SUM)))
    settings.TB_TS_QUERY_SECONDS = 30.0
    assert list(ctx.look.history([window], Sampling())) == [{"t": [(1, 1.7e308)]}]
