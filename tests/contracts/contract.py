"""What is declared of a route and of a kind of object: the words of tests/contracts/declared/."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.contracts.world import World

OPEN = "open"


@dataclass(frozen=True, kw_only=True)
class Contract:
    """What one method of one path promises.

    In `query` and `body`, `{device}` is the id of a device that the caller may use; the same with every other kind.
    """

    who: str  # of S T C (system administrator, tenant administrator, customer user) those who may; OPEN: whoever comes
    query: str = ""  # what a good request must say there
    body: Any = None  # a good one; None: it reads none
    saves: str = ""  # with an id in its body it replaces the one of this kind that has it, as ThingsBoard does
    answers: Mapping[str, int] = field(default_factory=dict)  # by authority, where it is not 200, 201 or 204
    outlives: bool = False  # of what does not exist, or is another's, it knows nothing, but answers all the same
    gives: bool = False  # its body says which of the caller's customers has something, which no other body may

    @property
    def authorities(self) -> list[str]:
        """S, T and C, those of them who may; "" is nobody, where everybody may."""
        return [""] if self.who == OPEN else list(self.who)


def by(who: str, **more: Any) -> Contract:
    """A contract, on one line."""
    return Contract(who=who, **more)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of object that paths name. Both functions are told the world and the caller's authority."""

    named: tuple[str, ...]  # its parameters; for `<pk>` and the like, what stands before it in the path
    own: Callable[["World", str], Any]  # the id of one that the caller may use
    foreign: Callable[["World", str], Any]  # the id of another tenant's; None where the caller sees all tenants'
    more: Callable[["World", int], object] | None = None  # makes the n-th further one, for lists


Routes = dict[str, dict[str, Contract]]
Kinds = dict[str, Kind]
