"""The page of rule nodes says what their classes say."""

import json

from rules import registry
from rules.node import Category, Node
from thingsboard.settings.env import BASE_DIR

PAGE = BASE_DIR / "docs" / "reference" / "rule-nodes.md"


def nodes() -> str:
    """The part of docs/reference/rule-nodes.md that is made from the registry."""
    kinds = registry.all().values()
    lines: list[str] = []
    for category in Category:
        family = [kind for kind in kinds if kind.CATEGORY is category]
        if family:
            lines += ["", f"## {category.value.capitalize()}"]
        for kind in family:
            lines += ["", f"### {kind.NAME.capitalize()}", "", kind.description(), *details(kind), "", *facts(kind)]
    return "\n".join(lines).strip() + "\n"


def details(kind: type[Node]) -> list[str]:
    """What else people should know of a node."""
    return ["", kind.details()] if kind.details() else []


def facts(kind: type[Node]) -> list[str]:
    """Labels, configuration and type of a node as a table."""
    labels = ", ".join((*kind.RELATIONS, "Failure")) if kind.OUT_ENABLED else "none: nothing can be connected behind it"
    if kind.CUSTOM_RELATIONS:
        labels += ", and whatever else is connected"
    members = [f"`{name}`: `{compact(value)}`" for name, value in kind.defaults().items() if name != "version"]
    return [
        "| | |",
        "| --- | --- |",
        f"| leaves by | {labels} |",
        f"| a new one has | {'; '.join(members).replace('|', chr(92) + '|') or 'no settings'} |",
        f"| type | `{kind.TYPE}`, configuration version {kind.VERSION} |",
    ]


def compact(value: object) -> str:
    """JSON; of a script its beginning."""
    text = json.dumps(value)
    return text if len(text) <= 80 or not isinstance(value, str) else text[:40] + '..."'


def test_the_page_of_rule_nodes_is_that_of_the_registry() -> None:
    assert nodes() in PAGE.read_text(), "Put this into docs/reference/rule-nodes.md:\n\n" + nodes()


def test_no_node_is_without_details() -> None:
    assert [kind.NAME for kind in registry.all().values() if not kind.details()] == []
