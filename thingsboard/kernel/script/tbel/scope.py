"""Which names a function of a script has of its own, and which belong to those around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from thingsboard.kernel.script.tbel import syntax as ast

#: Words that JavaScript keeps for itself; a script may use them as names.
_RESERVED = """
    abstract arguments async await boolean break byte case catch char class const continue debugger default delete do
    double else enum eval export extends false final finally float for function goto if implements import in instanceof
    int interface let long native new null of package private protected public return short static super switch
    synchronized this throw throws transient true try typeof undefined var void volatile while with yield NaN Infinity
"""
RESERVED = frozenset(_RESERVED.split())


def mangled(name: str) -> str:
    """The JavaScript variable of a script's variable: never a word of JavaScript, never a name of the runtime ($...)."""
    return f"$_{name}" if name in RESERVED or name.startswith("$") else name


@dataclass
class Scope:
    """The names of one function, or of the script itself when it has no parent."""

    parameters: tuple[str, ...]
    parent: Scope | None = None
    declared: set[str] = field(default_factory=set)
    assigned: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    switches: int = 0

    @property
    def variables(self) -> list[str]:
        """The local variables, which begin as null."""
        outer = self.parent
        loose = {name for name in self.assigned if not (outer and outer.declares(name))}
        return sorted((self.declared | loose) - {*self.parameters})

    def declares(self, name: str) -> bool:
        """Whether a function in here that assigns to the name without `var` means ours."""
        return name in self.declared or bool(self.parent and self.parent.declares(name))

    def knows(self, name: str) -> bool:
        """Whether the name is a variable, a parameter or a function."""
        own = name in self.declared or name in self.assigned or name in self.functions or name in self.parameters
        return own or bool(self.parent and self.parent.knows(name))

    def calls(self, name: str) -> bool:
        """Whether the name is a function of the script."""
        return name in self.functions or bool(self.parent and self.parent.calls(name))


def scope_of(parameters: Sequence[str], body: ast.Block, parent: Scope | None = None) -> Scope:
    """The scope of a function with these parameters and this body."""
    scope = Scope(tuple(parameters), parent)
    for node in nodes(body):
        if isinstance(node, ast.Declare):
            scope.declared.update(name for name, _ in node.names)
        elif isinstance(node, ast.ForEach):
            scope.declared.add(node.name)
        elif isinstance(node, ast.Function):
            scope.functions.add(node.name)
        elif isinstance(node, ast.Assign | ast.Step) and isinstance(node.target, ast.Name):
            scope.assigned.add(node.target.name)
    return scope


def nodes(tree: object) -> Iterator[object]:
    """All nodes of a tree, without what stands inside of its functions."""
    stack: list[object] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack.extend(node)
        elif parts := getattr(node, "__slots__", ()):
            yield node
            if not isinstance(node, ast.Function):
                stack.extend([getattr(node, part) for part in parts])
