"""All kinds of nodes by their type. Every module under rules/nodes/ is imported, and every node class in it is registered; what
is wrong with one is said at the start.
"""

import importlib
import inspect
import pkgutil
from functools import cache
from types import ModuleType

import rules.nodes
from rules.node import EachNode, Node
from rules.node.base import STATES


class BadNode(TypeError):
    """A node class that cannot be one."""


@cache
def all() -> dict[str, type[Node]]:
    """Every kind of node by its type, in order of family and name. Raises BadNode."""
    found: dict[str, type[Node]] = {}
    for module in _modules(rules.nodes):
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Node) and kind.__module__ == module.__name__ and hasattr(kind, "TYPE"):
                _check(kind, found)
                found[kind.TYPE] = kind
    return dict(sorted(found.items(), key=lambda item: (item[1].CATEGORY.value, item[1].NAME)))


def find(type: str) -> type[Node] | None:
    """The kind of node of that type (ThingsBoard's Java class)."""
    return all().get(type)


def _modules(package: ModuleType) -> list[ModuleType]:
    names = [each.name for each in pkgutil.walk_packages(package.__path__, package.__name__ + ".") if not each.ispkg]
    return [importlib.import_module(name) for name in names]


def _check(kind: type[Node], found: dict[str, type[Node]]) -> None:
    where = f"{kind.__module__}.{kind.__name__}"
    if kind.TYPE in found:
        raise BadNode(f"{where}: {kind.TYPE} is that of {found[kind.TYPE].__name__} already.")
    if not kind.__doc__ or kind.__doc__ in (Node.__doc__, EachNode.__doc__):
        raise BadNode(f"{where}: a docstring is missing; it is what users read about the node.")
    unknown = (kind.READS | kind.WRITES) - STATES
    if unknown:
        raise BadNode(f"{where}: READS and WRITES name {sorted(unknown)}; expected some of {sorted(STATES)}.")
    for name in ("NAME", "CATEGORY"):
        if not hasattr(kind, name):
            raise BadNode(f"{where}: {name} is missing.")
