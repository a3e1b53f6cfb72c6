"""The node that docs/reference/rule-engine.md shows is a node, and its test passes."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from rules import registry
from rules.engine.graph import Broken, build
from tests.rules.nodes.context import World

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "rule-engine.md"
MODULE = "rules.nodes.filter.above_limit"


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The two pieces of code; the first one is a module already."""
    node, test = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    module = ModuleType(MODULE)
    monkeypatch.setitem(sys.modules, MODULE, module)
    exec(compile(node, MODULE, "exec"), module.__dict__)
    return node, test


def test_the_test_on_the_page_passes(blocks: tuple[str, str]) -> None:
    names: dict[str, Any] = {}
    exec(compile(blocks[1], "the page", "exec"), names)
    tests = [each for name, each in names.items() if name.startswith("test_")]
    assert tests
    for each in tests:
        each(World())


def test_a_chain_that_has_the_node_compiles(blocks: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    kind = sys.modules[MODULE].AboveLimit
    monkeypatch.setattr(registry, "find", {kind.TYPE: kind}.get)
    made = build({"type": kind.TYPE, "name": "Hot?", "configuration": kind.defaults()})
    assert not isinstance(made, Broken) and made.name == "Hot?"
    assert kind.description().endswith("attribute.") and kind.details().startswith("True: ")
