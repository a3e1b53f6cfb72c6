"""Unique constraints as rules: the database decides, the caller gets a sentence."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from thingsboard.kernel.errors import BadRequest


@contextmanager
def refusing(sentences: Mapping[str, str]) -> Iterator[None]:
    """Run a write in a savepoint; the violation of a constraint named in `sentences` becomes BadRequest(sentence).

    No look before the write could tell as much: somebody else may write between the two.
    """
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        name = str(getattr(getattr(error.__cause__, "diag", None), "constraint_name", ""))
        if name in sentences:
            raise BadRequest(sentences[name]) from None
        raise
