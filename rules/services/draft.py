"""What somebody wants a rule chain to be: its nodes and connections by index, before they are rows; and what is refused."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.errors import BadRequest, PayloadTooLarge

INPUT_NODE = "org.thingsboard.rule.engine.flow.TbRuleChainInputNode"
OUTPUT_NODE = "org.thingsboard.rule.engine.flow.TbRuleChainOutputNode"

LONGEST_NAME = 255
CONNECTIONS_PER_NODE = 20  # on average
LARGEST_DEFINITION = 4 * 1024 * 1024  # bytes of JSON; a hundred versions of it are kept
_INT = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDraft:
    """A node as it shall be. `id` is that of a node of the chain; None: a new one."""

    type: str
    name: str
    id: uuid.UUID | None = None
    created_time: int | None = None  # of a new one, where it comes back
    configuration: dict[str, Any] = field(default_factory=dict)
    configuration_version: int = 0
    debug_settings: dict[str, Any] | None = None
    singleton_mode: bool = False
    queue_name: str | None = None
    additional_info: dict[str, Any] | None = None
    external_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Connection:
    """From the node of one index to that of another, for messages of one relation."""

    from_index: int
    to_index: int
    type: str


@dataclass(frozen=True, slots=True)
class Draft:
    """The whole inside of a chain."""

    nodes: tuple[NodeDraft, ...] = ()
    first: int | None = None
    connections: tuple[Connection, ...] = ()

    def checked(self) -> "Draft":
        """Itself, each connection once. Raises BadRequest or PayloadTooLarge with a sentence for what cannot be a chain."""
        if len(self.nodes) > settings.TB_RULE_CHAIN_NODES:
            raise BadRequest(
                f"{len(self.nodes)} rule nodes; a rule chain has at most {settings.TB_RULE_CHAIN_NODES} (TB_RULE_CHAIN_NODES)"
            )
        most = CONNECTIONS_PER_NODE * max(len(self.nodes), 50)
        if len(self.connections) > most:
            raise BadRequest(f"{len(self.connections)} connections; {len(self.nodes)} rule nodes have at most {most}")
        for index, node in enumerate(self.nodes):
            _check_node(index, node)
        if self.first is not None and not 0 <= self.first < len(self.nodes):
            raise BadRequest(f"firstNodeIndex: {self.first} is no index of the {len(self.nodes)} rule nodes")
        for connection in self.connections:
            _check_connection(connection, len(self.nodes))
        _refuse_circles(self.connections)
        size = sum(len(json_bytes(node.configuration)) + len(json_bytes(node.additional_info)) for node in self.nodes)
        if size > LARGEST_DEFINITION:
            raise PayloadTooLarge(f"The rule nodes have {size} bytes of JSON; expected at most {LARGEST_DEFINITION}")
        return Draft(self.nodes, self.first, tuple(dict.fromkeys(self.connections)))


def _check_node(index: int, node: NodeDraft) -> None:
    for what, text in (("type", node.type), ("name", node.name)):
        if not text.strip():
            raise BadRequest(f"Rule node {what} should be specified! (nodes[{index}])")
        if len(text) > LONGEST_NAME:
            raise BadRequest(f"nodes[{index}]: length of {what} must be equal or less than {LONGEST_NAME}")
    if node.queue_name is not None and len(node.queue_name) > LONGEST_NAME:
        raise BadRequest(f"nodes[{index}]: length of queueName must be equal or less than {LONGEST_NAME}")
    if not -_INT <= node.configuration_version < _INT:
        raise BadRequest(f"nodes[{index}]: configurationVersion: expected a whole number below {_INT}")


def _check_connection(connection: Connection, nodes: int) -> None:
    for name, index in (("fromIndex", connection.from_index), ("toIndex", connection.to_index)):
        if not 0 <= index < nodes:
            raise BadRequest(f"connections: {name} {index} is no index of the {nodes} rule nodes")
    if not connection.type.strip() or len(connection.type) > LONGEST_NAME:
        raise BadRequest(f"connections: type: expected a relation of 1 to {LONGEST_NAME} characters")
    if connection.from_index == connection.to_index:
        raise BadRequest("Can't create the relation to yourself.")


def _refuse_circles(connections: Iterable[Connection]) -> None:
    """Raise BadRequest where messages could go round for ever (compat/rule_engine.md, "Rule chain metadata JSON")."""
    targets: dict[int, set[int]] = defaultdict(set)
    waiting: dict[int, int] = defaultdict(int)
    for connection in connections:
        if connection.to_index not in targets[connection.from_index]:
            targets[connection.from_index].add(connection.to_index)
            waiting[connection.to_index] += 1
    free = [index for index in targets if not waiting[index]]
    seen = 0
    edges = sum(map(len, targets.values()))
    while free:
        for target in targets.get(free.pop(), ()):
            seen += 1
            waiting[target] -= 1
            if not waiting[target]:
                free.append(target)
    if seen != edges:
        raise BadRequest("Can't create circling relations in rule chain.")
