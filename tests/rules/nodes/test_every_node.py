"""What holds for every kind of node, and that tests have the context which nodes are promised."""

import inspect

import pytest

from rules import registry
from rules.node import Context, Node
from rules.node.context import Alarms as AlarmsProtocol
from rules.node.deeds import Deeds as DeedsProtocol
from rules.node.later import Later as LaterProtocol
from rules.node.lookups import Lookups as LookupsProtocol
from tests.rules.nodes.context import Alarms, World
from tests.rules.nodes.deeds import Deeds
from tests.rules.nodes.later import Later
from tests.rules.nodes.lookups import Lookups

KINDS = list(registry.all().values())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.NAME)
class TestEveryNode:
    def test_a_new_configuration_is_what_is_saved_of_it(self, kind: type[Node]) -> None:
        assert kind.CONFIG.read(kind.defaults()).saved() == kind.defaults()

    def test_an_unknown_member_is_ignored_and_anything_but_an_object_refused(self, kind: type[Node]) -> None:
        assert kind.CONFIG.read({**kind.defaults(), "futureMember": {"a": 1}}).saved() == kind.defaults()
        with pytest.raises(ValueError, match="not a JSON object"):
            kind.CONFIG.read(["a"])

    def test_the_present_version_needs_no_upgrade(self, kind: type[Node]) -> None:
        assert kind.upgrade(kind.VERSION, kind.defaults()) == kind.defaults()

    def test_people_are_told_in_one_sentence_and_by_its_labels_what_it_does(self, kind: type[Node]) -> None:
        assert kind.description().endswith(".") and "\n" not in kind.description()
        assert len(kind.RELATIONS) == len(set(kind.RELATIONS)) and "Failure" not in kind.RELATIONS

    def test_it_is_filed_under_its_family(self, kind: type[Node]) -> None:
        assert kind.__module__.split(".")[2] == kind.CATEGORY.value.lower()
        assert kind.TYPE.startswith("org.thingsboard.rule.engine.")


def test_the_first_seventeen_kinds_are_there() -> None:
    assert len(KINDS) >= 17


@pytest.mark.parametrize(
    ("double", "promised"),
    [
        (World, Context),
        (Alarms, AlarmsProtocol),
        (Lookups, LookupsProtocol),
        (Deeds, DeedsProtocol),
        (Later, LaterProtocol),
    ],
)
def test_the_world_of_these_tests_is_the_one_that_nodes_are_promised(double: type, promised: type) -> None:
    for name, method in inspect.getmembers(promised, inspect.isfunction):
        if not name.startswith("_"):
            theirs = inspect.signature(getattr(double, name)).parameters.values()
            ours = inspect.signature(method).parameters.values()
            assert [(p.name, p.kind, p.default) for p in theirs] == [(p.name, p.kind, p.default) for p in ours], name
