"""Names that are taken: refused, or made unique on request (compat/data_model.md 1, "duplicate names")."""

import enum
import secrets
import string
from dataclasses import dataclass
from itertools import count

from django.db import connection
from django.db.models import QuerySet

from thingsboard.kernel.api import Query
from thingsboard.kernel.errors import BadRequest

LONGEST_NAME = 255
LONGEST_SEPARATOR = 16
_BATCH = 200  # numbers that are tried with one query
_ALPHABET = string.ascii_letters + string.digits


class Suffix(enum.StrEnum):
    """What follows the separator."""

    RANDOM = "RANDOM"  # six letters and digits
    INCREMENTAL = "INCREMENTAL"  # the lowest number that is free, from 1


@dataclass(frozen=True, slots=True)
class Uniquify:
    """How a taken name becomes a free one."""

    separator: str = "_"
    suffix: Suffix = Suffix.RANDOM

    @classmethod
    def of(cls, query: Query) -> "Uniquify | None":
        """What `nameConflictPolicy`, `uniquifySeparator` and `uniquifyStrategy` ask for; None is to refuse.

        Raises BadRequest.
        """
        policy = query.get("nameConflictPolicy", "FAIL").upper()
        if policy not in {"FAIL", "UNIQUIFY"}:
            raise BadRequest("nameConflictPolicy: expected FAIL or UNIQUIFY")
        separator = query.get("uniquifySeparator", "_")
        if len(separator) > LONGEST_SEPARATOR:
            raise BadRequest(f"uniquifySeparator: expected at most {LONGEST_SEPARATOR} characters")
        strategy = query.get("uniquifyStrategy", Suffix.RANDOM).upper()
        if strategy not in Suffix.__members__:
            raise BadRequest(f"uniquifyStrategy: expected {' or '.join(Suffix)}")
        return cls(separator, Suffix(strategy)) if policy == "UNIQUIFY" else None

    def free_name(self, wanted: str, rows: QuerySet, field: str) -> str:
        """`wanted` itself where none of `rows` is called so, else with a suffix. Within the writer's transaction.

        Whoever else makes the same name unique waits for that transaction, so that both get one of their own.
        """
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 7462))", [wanted])
        if not rows.filter(**{field: wanted}).exists():
            return wanted
        for start in count(1, _BATCH):
            suffixes = [self._suffix(start + step) for step in range(_BATCH)]
            names = [wanted[: LONGEST_NAME - len(suffix)] + suffix for suffix in suffixes]
            taken = set(rows.filter(**{f"{field}__in": names}).values_list(field, flat=True))
            for name in names:
                if name not in taken:
                    return name
        raise AssertionError("numbers do not end")

    def _suffix(self, number: int) -> str:
        if self.suffix is Suffix.INCREMENTAL:
            return f"{self.separator}{number}"
        return self.separator + "".join(secrets.choice(_ALPHABET) for _ in range(6))
