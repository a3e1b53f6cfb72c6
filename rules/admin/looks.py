"""What the pages of a rule chain show: its nodes on pages, its versions on pages, and what one of them changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from django.core.paginator import Page

from devices.admin.times import readable
from rules import registry
from rules.models import RuleChain, RuleChainVersion, RuleNode
from rules.services.versions import difference
from tenants.admin.paging import CappedPaginator

NODES_PER_PAGE = 50
VERSIONS_PER_PAGE = 20
LONGEST_VALUE = 300  # characters
MOST_CHANGES = 500  # lines of a page


@dataclass(frozen=True, slots=True)
class NodeLine:
    """A node as a row: what it is called, of what kind it is, and where its messages go."""

    name: str
    kind: str
    known: bool
    first: bool
    targets: list[str]


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version as a row."""

    number: int
    time: str
    who: str
    note: str
    current: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a version changed."""

    what: str
    of: str
    before: str = ""
    after: str = ""


def nodes_page(chain: RuleChain, number: Any) -> tuple[Page[Any], list[NodeLine]]:
    """A page of a chain's nodes."""
    rows = RuleNode.objects.filter(chain=chain).in_order().prefetch_related("outgoing__to_node")
    page = CappedPaginator(rows, NODES_PER_PAGE).get_page(number)
    return page, [_node_line(node, chain) for node in page.object_list]


def versions_page(chain: RuleChain, number: Any) -> tuple[Page[Any], list[VersionLine]]:
    """A page of a chain's versions, the newest first."""
    page = CappedPaginator(RuleChainVersion.objects.filter(chain=chain).listed(), VERSIONS_PER_PAGE).get_page(number)
    return page, [version_line(each, chain) for each in page.object_list]


def version_line(version: RuleChainVersion, chain: RuleChain) -> VersionLine:
    """One of them."""
    return VersionLine(
        version.number,
        readable(version.created_time),
        version.user_name or "the platform",
        version.note,
        version.number == chain.version,
    )


def changes_of(before: dict[str, Any], after: dict[str, Any], *, values: bool) -> list[Change]:
    """What happened between two definitions, line by line; with the values of fields for those who may know them."""
    found = difference(before, after)
    lines = [_change("chain", "", field, values) for field in found["chain"]]
    for kind in ("added", "removed"):
        lines += [_came_or_went("node", kind, node["name"], _short(node["type"])) for node in found["nodes"][kind]]
    for node in found["nodes"]["changed"]:
        lines += [_change("node changed", node["name"], field, values) for field in node["fields"]]
    for kind in ("added", "removed"):
        for each in found["connections"][kind]:
            lines.append(_came_or_went("connection", kind, f"{each['from_name']} → {each['to_name']}", each["type"]))
    return lines[:MOST_CHANGES]


def _came_or_went(what: str, kind: str, name: str, told: str) -> Change:
    before, after = ("", told) if kind == "added" else (told, "")
    return Change(f"{what} {kind}", name, before, after)


def _change(what: str, name: str, field: dict[str, Any], values: bool) -> Change:
    title = f"{name}: {field['field']}" if name else field["field"]
    return Change(what, title, *(_text(field[side]) if values else "…" for side in ("before", "after")))


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _node_line(node: RuleNode, chain: RuleChain) -> NodeLine:
    known = registry.find(node.type)
    return NodeLine(
        node.name,
        known.NAME if known else _short(node.type),
        known is not None,
        node.pk == chain.first_rule_node_id,
        list(_targets(node.outgoing.all())),
    )


def _targets(connections: Iterable[Any]) -> Iterable[str]:
    for each in sorted(connections, key=lambda one: (one.type, one.to_node.name)):
        yield f"{each.type} → {each.to_node.name}"


def _short(kind: str) -> str:
    """A Java class without its package."""
    return kind.rpartition(".")[2]
