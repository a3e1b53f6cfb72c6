"""What is run, and what comes of it."""

import hashlib
from functools import lru_cache
from typing import Final, NamedTuple

from .tbel import prelude, translate

JS: Final = "JS"
TBEL: Final = "TBEL"
LANGUAGES: Final = (JS, TBEL)

LONGEST_SOURCE: Final = 200_000  # characters


class Compiled(NamedTuple):
    """A program as the jailed process gets it: JavaScript that is evaluated once beforehand, and the body of the function."""

    prelude: str
    body: str


class Program:
    """A script: the body of a function with up to three arguments, in JavaScript or TBEL. Equal to another one that says the
    same; `digest` (16 bytes) tells them apart.
    """

    __slots__ = ("args", "digest", "lang", "source")

    def __init__(self, lang: str, source: str, args: tuple[str, ...] = ("msg", "metadata", "msgType")) -> None:
        """Raises ValueError for another language, a source that is too long, and names that cannot be arguments. Whether the
        source is a script is said by `compiled` for TBEL, and for JavaScript by the first call.
        """
        require_language(lang)
        if len(source) > LONGEST_SOURCE:
            raise ValueError(f"The script has {len(source)} characters; at most {LONGEST_SOURCE} are accepted.")
        if "\0" in source:
            raise ValueError("The script holds a NUL character.")
        if not 1 <= len(args) <= 3 or not all(name.isascii() and name.isidentifier() for name in args):
            raise ValueError(f"Arguments of a script: expected one to three names, got {list(args)!r:.200}.")
        self.lang, self.source, self.args = lang, source, args
        text = "\0".join((lang, ",".join(args), source))
        self.digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()

    def compiled(self) -> Compiled:
        """What runs. Raises ValueError with a sentence and line for TBEL that is none."""
        return Compiled("", self.source) if self.lang == JS else _translated(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Program) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"Program({self.lang}, {self.source[:60]!r})"


class Answer(NamedTuple):
    """Of one call: the JSON text of what the script returned, or why there is none (a sentence, with the line if known)."""

    value: bytes
    error: str = ""


def require_language(lang: str) -> None:
    """Raise ValueError unless there is such a language."""
    if lang not in LANGUAGES:
        raise ValueError(f"Unknown script language {lang[:40]!r}; expected JS or TBEL.")


@lru_cache(maxsize=256)
def _translated(program: Program) -> Compiled:
    return Compiled(prelude(), translate(program.source, program.args))
