"""Texts of messages as debug events and traces keep them: bounded, and such that PostgreSQL can hold them."""

from collections.abc import Mapping

import orjson

LONGEST_KEY = 255  # bytes of a metadata's key


def text(raw: bytes | str, most: int) -> tuple[str, bool]:
    """Up to `most` bytes of a text, and whether it was cut. NUL and what is no UTF-8 is replaced."""
    data = raw if isinstance(raw, bytes) else raw.encode("utf-8", "replace")
    cut = len(data) > most
    kept = data[:most].decode("utf-8", "ignore") if cut else data.decode("utf-8", "replace")
    return (kept.replace("\0", "\ufffd") if "\0" in kept else kept), cut


def metadata(members: Mapping[str, str], most: int) -> tuple[dict[str, str], bool]:
    """The first members, of up to `most` bytes together, and whether something was cut."""
    kept: dict[str, str] = {}
    left, cut = most, False
    for key, value in members.items():
        name, shortened = text(key, LONGEST_KEY)
        left -= len(name.encode())
        if left <= 0:
            return kept, True
        kept[name], short = text(str(value), left)
        left -= len(kept[name].encode())
        cut = cut or shortened or short
    return kept, cut


def json_text(members: Mapping[str, str], most: int) -> str:
    """Metadata as JSON text of up to about `most` bytes."""
    return orjson.dumps(metadata(members, most)[0]).decode()
