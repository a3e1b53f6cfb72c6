"""What can be assigned to customers, whichever app it is of: apps say so in `ready()`, others find the verbs here."""

from collections.abc import Callable
from typing import Any, NamedTuple

from tenants.models import Customer
from thingsboard.kernel.ids import EntityType


class Assignable(NamedTuple):
    """The verbs of one kind. Both are told the object and the customer, do nothing where nothing is to be done, and say
    whether they did something. Raise PlatformError.
    """

    assign: Callable[[Any, Customer], bool]
    unassign: Callable[[Any, Customer | None], bool]
    many: bool = False  # several customers may have it: who takes it away says from whom


_kinds: dict[EntityType, Assignable] = {}


def make_assignable(kind: EntityType, verbs: Assignable) -> None:
    """Say how entities of a kind are assigned. Said twice, the last one counts."""
    _kinds[kind] = verbs


def assignable(kind: EntityType) -> Assignable | None:
    """How entities of that kind are assigned; None where they are not."""
    return _kinds.get(kind)
