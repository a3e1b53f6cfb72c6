"""What tenants that were there before rule chains get."""

from rules.models import RuleChain, RuleEvent, RuleNode
from rules.services.seeds import seed, seed_after_migrate
from tests.cast import Cast, api
from tests.rules.chains import create, root_of


def test_a_tenant_from_before_rule_chains_gets_its_root_chains_once(cast: Cast) -> None:
    RuleChain.objects.filter(tenant=cast.acme).delete()
    foreign = set(RuleChain.objects.filter(tenant=cast.globex).values_list("pk", flat=True))
    seed_after_migrate(plan=[])
    assert root_of(api(cast.alice))["name"] == "Root Rule Chain"
    rows = RuleChain.objects.filter(tenant=cast.acme)
    assert sorted(rows.values_list("type", "root")) == [("CORE", True), ("EDGE", True)]
    assert set(RuleChain.objects.filter(tenant=cast.globex).values_list("pk", flat=True)) == foreign
    seed()
    assert rows.count() == 2


def test_a_tenant_that_lacks_only_the_edges_root_keeps_its_own(cast: Cast) -> None:
    create(api(cast.alice), "Mine")
    RuleChain.objects.filter(tenant=cast.acme, root=True).delete()
    seed()
    assert RuleChain.objects.filter(tenant=cast.acme).count() == 3


def test_every_node_of_a_new_tenants_root_chain_can_work(cast: Cast) -> None:
    nodes = RuleNode.objects.filter(tenant=cast.acme, chain__type="CORE").values_list("pk", flat=True)
    started = RuleEvent.objects.filter(entity_id__in=nodes, type="LC_EVENT")
    assert len(nodes) == 6 == started.count()
    assert [event.body.get("error") for event in started] == [None] * 6
