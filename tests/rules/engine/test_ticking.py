"""Nodes that tick from their beginning: armed and disarmed with their chain, and one tick at a time whatever happens."""

import uuid
from typing import Any

import pytest
from django.db import transaction

from rules.models import HeldMessage, NodeState, RuleChain
from rules.nodes.action.generator import Generator
from rules.nodes.action.message_count import MessageCount
from rules.nodes.action.save_time_series import SaveTimeSeries
from rules.nodes.transformation.deduplication import Deduplication
from rules.services.chains import ChainFields, create_chain, delete_chain, restore_version, save_metadata, set_root
from rules.services.draft import Connection, Draft, NodeDraft
from rules.services.seeds import seed
from rules.services.ticking import forget_orphans
from rules.services.transfer import ImportedChain, import_chains
from rules.services.writing import inside
from telemetry.models import Erasure
from telemetry.services import latest
from tenants.services.tenants import delete_tenant
from tests.cast import Cast
from tests.rules.engine.clock import BEGIN, Clock, clock
from tests.rules.engine.world import drain, queue, telemetry
from thingsboard.kernel.models import DeadLetter, OutboxRow, Timer

__all__ = ["clock"]

pytestmark = pytest.mark.django_db(transaction=True)


def node(kind: Any, number: int = 0, *, key: uuid.UUID | None = None, **configuration: Any) -> NodeDraft:
    return NodeDraft(
        id=key,
        type=kind.TYPE,
        name=f"{kind.NAME} {number}",
        configuration={**kind.defaults(), **configuration},
        configuration_version=kind.VERSION,
    )


def draft(*nodes: NodeDraft, lines: tuple[Connection, ...] = ()) -> Draft:
    return Draft(nodes, 0, lines)


def chain(cast: Cast, *nodes: NodeDraft, lines: tuple[Connection, ...] = (), **fields: Any) -> RuleChain:
    made = create_chain(cast.acme.pk, ChainFields(name="Ticks", **fields), draft(*nodes, lines=lines))
    OutboxRow.objects.all().delete()
    return made


def again(chain: RuleChain, **configuration: Any) -> NodeDraft:
    """The first node of the chain as it is, or with another configuration."""
    (found, *_), _ = inside(chain)
    return NodeDraft(
        id=found.pk,
        type=found.type,
        name="another name",
        configuration={**found.configuration, **configuration},
        configuration_version=found.configuration_version,
    )


def ticks() -> list[tuple[uuid.UUID, int]]:
    return [(timer.owner, timer.due - BEGIN) for timer in Timer.objects.order_by("due")]


def only(chain: RuleChain) -> uuid.UUID:
    (found,), _ = inside(chain)
    key: uuid.UUID = found.pk
    return key


def test_a_generator_ticks_from_the_save_of_its_chain_on(cast: Cast, clock: Clock) -> None:
    lines = (Connection(0, 1, "Success"),)
    made = chain(cast, node(Generator, msgCount=3), node(SaveTimeSeries), lines=lines)
    (generator, _), _ = inside(made)
    assert ticks() == [(generator.pk, 1000)]
    clock.run()
    assert not latest(generator.pk)
    for _ in range(5):
        clock.move(1000).run()
    assert latest(generator.pk)["temp"].value == 42
    assert latest(generator.pk)["temp"].ts == clock.now - 2000  # three of them
    assert not ticks() and not DeadLetter.objects.exists()


def test_a_counter_counts_what_comes_between_its_ticks(cast: Cast, clock: Clock) -> None:
    made = chain(cast, node(MessageCount, interval=10), node(SaveTimeSeries), lines=(Connection(0, 1, "Success"),))
    set_root(made)
    assert cast.device.pk
    OutboxRow.objects.all().delete()
    queue(cast.acme.pk, *[telemetry(cast.device.pk, b"{}") for _ in range(7)])
    drain()
    clock.move(10_000).run()
    (name, point), *_ = latest(cast.acme.pk).items()
    assert name.startswith("messageCount_") and point == (clock.now, 7)
    clock.move(10_000).run()
    assert latest(cast.acme.pk)[name] == (clock.now, 0)


def test_a_save_that_changes_nothing_of_a_node_does_not_disturb_it(cast: Cast, clock: Clock) -> None:
    made = chain(cast, node(Generator))
    clock.move(300)
    save_metadata(made, draft(again(made)))
    assert ticks() == [(only(made), 1000)]
    made.refresh_from_db()
    save_metadata(made, draft(again(made, periodInSeconds=5)))
    assert ticks() == [(only(made), 5300)]


def test_a_tick_that_was_on_its_way_when_the_node_began_anew_makes_no_second_clock(cast: Cast, clock: Clock) -> None:
    from rules.engine.clock import fire_due

    made = chain(cast, node(Generator))
    clock.move(1000)
    fire_due(1.0)  # the tick is in the queue now
    save_metadata(made, draft(again(made, msgCount=9)))
    clock.run()
    assert ticks() == [(only(made), 2000)]
    assert not NodeState.objects.filter(key="sent").exists()


def test_a_node_that_cannot_work_any_more_stops_and_begins_again_when_it_can(cast: Cast, clock: Clock) -> None:
    made = chain(cast, node(Generator))
    save_metadata(made, draft(again(made, periodInSeconds=0)))
    assert not ticks()
    made.refresh_from_db()
    save_metadata(made, draft(again(made, periodInSeconds=1)))
    assert ticks() == [(only(made), 1000)]


def test_a_node_and_a_chain_that_go_take_everything_with_them(cast: Cast, clock: Clock) -> None:
    made = chain(cast, node(Generator), node(Deduplication, 1, interval=1))
    (generator, dedup), _ = inside(made)
    HeldMessage.objects.create(
        tenant_id=cast.acme.pk, node_id=dedup.pk, entity_id=cast.device.pk, queue="Main", size=1, body=b"x"
    )
    save_metadata(made, draft(again(made)))
    assert not HeldMessage.objects.exists() and len(ticks()) == 1
    made.refresh_from_db()
    delete_chain(made)
    assert not ticks() and not NodeState.objects.exists()
    assert Erasure.objects.filter(entity_id=generator.pk, entity_type="RULE_NODE").exists()
    assert not Erasure.objects.filter(entity_id=dedup.pk).exists()


def test_a_tick_whose_node_is_gone_is_dropped(cast: Cast, clock: Clock) -> None:
    from rules.engine.clock import fire_due

    made = chain(cast, node(Generator))
    clock.move(1000)
    fire_due(1.0)
    delete_chain(made)
    clock.run()
    assert not DeadLetter.objects.filter(type="GENERATOR_NODE_SELF_MSG").exists()


def test_a_node_of_another_kind_under_the_same_id_is_another_node(cast: Cast, clock: Clock) -> None:
    made = chain(cast, node(Generator))
    save_metadata(made, draft(node(MessageCount, key=only(made), interval=7)))
    assert ticks() == [(only(made), 7000)]
    made.refresh_from_db()
    save_metadata(made, draft(node(SaveTimeSeries, key=only(made))))
    assert not ticks() and not NodeState.objects.exists()


def test_restored_and_imported_chains_tick_and_those_for_edges_do_not(cast: Cast, clock: Clock) -> None:
    made = chain(cast, node(Generator))
    key = only(made)
    save_metadata(made, Draft())
    assert not ticks()
    made.refresh_from_db()
    restore_version(made, 1)
    assert ticks() == [(key, 1000)]
    (done,) = import_chains(cast.acme.pk, [ImportedChain(ChainFields(name="Imported"), draft(node(Generator)))])
    assert done.chain is not None and len(ticks()) == 2
    chain(cast, node(Generator), type="EDGE")
    assert len(ticks()) == 2


def test_a_save_that_is_rolled_back_arms_nothing(cast: Cast, clock: Clock) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        chain(cast, node(Generator))
        raise RuntimeError
    assert not ticks()


def test_a_tenant_that_goes_takes_its_timers_and_nobody_elses(cast: Cast, clock: Clock) -> None:
    chain(cast, node(Generator))
    other = create_chain(cast.globex.pk, ChainFields(name="Theirs"), draft(node(Generator)))
    delete_tenant(cast.acme)
    assert ticks() == [(only(other), 1000)]
    assert {state.tenant_id for state in NodeState.objects.all()} == {cast.globex.pk}


def test_chains_that_were_saved_before_a_kind_was_known_begin_with_the_next_start(cast: Cast, clock: Clock) -> None:
    made = chain(cast, node(Generator))
    NodeState.objects.all().delete()
    Timer.objects.all().delete()
    seed()
    assert ticks() == [(only(made), 1000)]
    clock.move(500)
    seed()
    assert ticks() == [(only(made), 1000)]


def test_what_a_batch_wrote_for_a_node_that_was_being_deleted_is_swept(cast: Cast, clock: Clock) -> None:
    made = chain(cast, node(Generator))
    for key in (only(made), uuid.uuid4()):
        NodeState.objects.create(tenant_id=cast.acme.pk, node_id=key, key="x", value=1)
    assert forget_orphans() == 1
    assert set(NodeState.objects.values_list("node_id", flat=True)) == {only(made)}
