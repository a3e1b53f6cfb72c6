"""Messages that could not be processed."""

from tests.contracts.contract import Kind, Kinds, Routes, by
from tests.rules.letters import letter

_CHOICE = {"all": True}

ROUTES: Routes = {
    "api/v1/deadLetters": {"GET": by("ST")},
    "api/v1/deadLetters/retry": {"POST": by("ST", body=_CHOICE)},
    "api/v1/deadLetters/drop": {"POST": by("ST", body=_CHOICE)},
    "api/v1/deadLetters/<pk>": {"GET": by("ST"), "DELETE": by("ST")},
    "api/v1/deadLetters/<pk>/retry": {"POST": by("ST")},
}

KINDS: Kinds = {
    "dead_letter": Kind(
        named=("deadLetters",),
        own=lambda world, authority: letter(world.cast.acme.pk).pk,
        foreign=lambda world, authority: None if authority == "S" else letter(world.cast.globex.pk).pk,
        more=lambda world, n: letter(world.cast.acme.pk),
    ),
}
