"""Stored work outside: it is claimed by one at a time, comes back when he dies, and ends with exactly one continuation."""

import uuid
from collections.abc import Iterator, Sequence

import psycopg
import pytest
from django.db import connection, transaction

from telemetry.store.connect import connect
from tests.cast import Cast
from thingsboard.kernel import effects
from thingsboard.kernel.effects import Claim, Claimed, Effect, Result
from thingsboard.kernel.ids import EntityId, EntityType
from thingsboard.kernel.models import Effect as Stored
from thingsboard.kernel.models import OutboxRow
from thingsboard.kernel.outbox import Appender, Message, Position, decode
from thingsboard.kernel.outbox.backlog import Bounds, measure
from thingsboard.kernel.outbox.messages import Row

pytestmark = pytest.mark.django_db(transaction=True)

ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)
DEVICE = EntityId(EntityType.DEVICE, uuid.uuid4())
ALL = 1 << 30  # bytes
HERE = Position(b"c" * 16, b"n" * 16)


@pytest.fixture
def db() -> Iterator["psycopg.Connection[tuple]"]:
    with connect("test") as found:
        yield found


def row(text: str = "x") -> Row:
    return Message("T", DEVICE, text.encode(), {}, 1, None, uuid.uuid4(), position=HERE).row()


def store(tenant: uuid.UUID, *destinations: str, text: str = "x") -> None:
    with transaction.atomic():
        effects.append(connection.connection, tenant, [Effect(each, "Main", row(text)) for each in destinations])


def claim(db: "psycopg.Connection[tuple]", *wanted: tuple[uuid.UUID, str, int], lease_s: float = 60.0) -> list[Claimed]:
    return effects.claim(db, [Claim(*each) for each in wanted], lease_s, ALL)


def finish(db: "psycopg.Connection[tuple]", claimed: Sequence[Claimed]) -> effects.Finished:
    results = [Result(each.id, each.lease, each.tenant_id, each.queue, row("done")) for each in claimed]
    with db.transaction():
        return effects.finish(db, Appender(), results)


def continuations() -> list[Message]:
    return [message for each in OutboxRow.objects.order_by("id") for message in decode(each.body)]


def test_what_is_rolled_back_was_never_stored(db: "psycopg.Connection[tuple]") -> None:
    with transaction.atomic():
        effects.append(connection.connection, ONE, [Effect("a", "Main", row())])
        transaction.set_rollback(True)
    assert effects.look(db, {}) == []


def test_a_claim_takes_the_oldest_of_what_is_wanted_and_nobody_else_gets_it(db: "psycopg.Connection[tuple]") -> None:
    store(ONE, *"aaab")
    store(TWO, "a")
    first = claim(db, (ONE, "a", 2))
    assert [each.attempts for each in first] == [1, 1]
    rest = claim(db, (ONE, "a", 9), (ONE, "b", 9), (TWO, "a", 9), (TWO, "b", 9))
    assert [(each.tenant_id, each.destination) for each in rest] == [(ONE, "a"), (ONE, "b"), (TWO, "a")]
    assert [each.id for each in first + rest] == sorted(each.id for each in first + rest)
    assert claim(db, (ONE, "a", 9), (ONE, "b", 9), (TWO, "a", 9)) == []


def test_who_claims_waits_for_nobody(db: "psycopg.Connection[tuple]") -> None:
    store(ONE, *"aa")
    with transaction.atomic():
        Stored.objects.select_for_update().order_by("id").first()
        assert len(claim(db, (ONE, "a", 9))) == 1


def test_work_of_one_who_died_comes_back_and_has_one_continuation(db: "psycopg.Connection[tuple]") -> None:
    store(ONE, *"aa")
    dead = claim(db, (ONE, "a", 9), lease_s=0.0)
    heir = claim(db, (ONE, "a", 9))
    assert [each.attempts for each in heir] == [2, 2]
    assert finish(db, dead)[:2] == (0, 2)
    assert finish(db, heir)[:2] == (2, 0)
    assert finish(db, heir)[:2] == (0, 2)  # after a COMMIT of which nobody heard
    assert [message.data for message in continuations()] == [b"done", b"done"]
    assert not Stored.objects.exists()


def test_a_lease_that_is_renewed_lasts_and_one_that_was_taken_over_is_told(db: "psycopg.Connection[tuple]") -> None:
    store(ONE, *"aa")
    kept, lost = claim(db, (ONE, "a", 9), lease_s=0.0)
    assert effects.renew(db, [(kept.id, kept.lease)], 60.0) == {kept.id}
    (heir,) = claim(db, (ONE, "a", 9))
    assert heir.id == lost.id
    assert effects.renew(db, [(each.id, each.lease) for each in (kept, lost)], 60.0) == {kept.id}


def test_what_is_given_back_was_no_try(db: "psycopg.Connection[tuple]") -> None:
    store(ONE, "a")
    (first,) = claim(db, (ONE, "a", 9))
    effects.release(db, [(first.id, first.lease)])
    (again,) = claim(db, (ONE, "a", 9))
    assert again.attempts == 1


def test_what_is_put_off_is_not_due_until_then(db: "psycopg.Connection[tuple]") -> None:
    store(ONE, *"aa")
    soon, late = claim(db, (ONE, "a", 9))
    effects.put_off(db, {(soon.id, soon.lease): 0.0, (late.id, late.lease): 60.0})
    (again,) = claim(db, (ONE, "a", 9))
    assert (again.id, again.attempts) == (soon.id, 2)
    assert [each.due for each in effects.look(db, {})] == [False]


def test_a_look_names_each_destination_once_and_goes_on_where_it_ended(db: "psycopg.Connection[tuple]") -> None:
    store(ONE, *"aaabbbccc")
    store(TWO, *"zz")
    seen = [each[:2] for each in effects.look(db, {}, destinations=2)]
    assert seen == [(ONE, "a"), (ONE, "b"), (TWO, "z")]
    assert [each[:2] for each in effects.look(db, {ONE: "b"}, destinations=2)] == [(ONE, "c"), (TWO, "z")]
    assert [each[:2] for each in effects.look(db, {}, after=ONE)] == [(TWO, "z")]
    assert {each[0] for each in effects.look(db, {}, tenants=1)} == {ONE}


def test_no_more_bytes_are_taken_than_there_is_room_for(db: "psycopg.Connection[tuple]") -> None:
    store(ONE, *"aaaa", text="x" * 1000)
    wanted = [Claim(ONE, "a", 9)]
    assert len(effects.claim(db, wanted, 60.0, 2500)) == 2
    assert len(effects.claim(db, wanted, 60.0, 10)) == 1  # one that is larger than all room
    assert [each.attempts for each in effects.claim(db, wanted, 60.0, ALL)] == [1]


def test_any_destination_can_be_stored(db: "psycopg.Connection[tuple]") -> None:
    store(ONE, "", "x" * 999, "nul\0")
    assert sorted(each.destination for each in effects.look(db, {})) == ["-", "nul", "x" * 255]


def test_the_key_of_a_work_is_a_uuid_of_its_own() -> None:
    keys = {effects.key_of(number, 1_700_000_000_000 + later) for number in range(1, 50) for later in range(3)}
    assert len(keys) == 147
    assert {(key.version, key.variant) for key in keys} == {(8, uuid.RFC_4122)}


def test_stored_work_counts_into_its_tenants_backlog(cast: Cast, db: "psycopg.Connection[tuple]") -> None:
    OutboxRow.objects.all().delete()
    store(ONE, *"aaa")
    store(TWO, "a")
    claim(db, (ONE, "a", 1))
    found = measure(db)
    assert found[ONE].outside[1:3] == (3, 1)
    assert found[ONE].outside.size == sum(Stored.objects.filter(tenant_id=ONE).values_list("size", flat=True))
    bounds = Bounds(1 << 30, 3600.0, stored=2)
    assert bounds.over(found, frozenset(), found[ONE].oldest) == {ONE}
    Stored.objects.filter(pk__in=[each.id for each in claim(db, (ONE, "a", 1))]).delete()
    assert bounds.over(measure(db), frozenset({ONE}), found[ONE].oldest) == {ONE}  # until it is well below
    assert Bounds(1, 3600.0).over(found, frozenset(), found[ONE].oldest) == {ONE, TWO}
