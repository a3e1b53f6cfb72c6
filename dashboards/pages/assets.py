"""Which files of the built front end a page needs, as Vite's manifest says (dashboards/frontend/vite.config.ts)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

# Below STATIC_URL, and below the folder where Django looks for the static files of this app.
PREFIX = "dashboards"
BUILT = Path(__file__).resolve().parents[1] / "static" / PREFIX


class NotBuilt(Exception):
    """There is no front end yet; the message says how to make one."""


class Assets(NamedTuple):
    """What the head of a page names, each below STATIC_URL: modules to run, modules that those import, style sheets."""

    scripts: tuple[str, ...]
    imports: tuple[str, ...]
    styles: tuple[str, ...]


def assets_of(*entries: str) -> Assets:
    """The files of entries, by the names that vite.config.ts gives them. Raises NotBuilt."""
    manifest = _manifest()
    chunks = {chunk["name"]: chunk for chunk in manifest.values() if chunk.get("isEntry")}
    wanted = [chunks[entry] for entry in entries]
    scripts = _unique(chunk["file"] for chunk in wanted)
    needed = [each for chunk in wanted for each in _with_imports(chunk, manifest)]
    imports = _unique(chunk["file"] for chunk in needed)
    styles = _unique(style for chunk in needed for style in chunk.get("css", ()))
    return Assets(scripts, tuple(file for file in imports if file not in scripts), styles)


@cache
def _manifest() -> dict[str, Any]:
    """Read once: the files that are served are also those of the start."""
    try:
        found: dict[str, Any] = json.loads((BUILT / "manifest.json").read_text())
    except FileNotFoundError:
        raise NotBuilt("The front end is not built. Run `make frontend`, then start again.") from None
    return found


def _with_imports(chunk: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The chunk behind all that it imports, so that its styles come last and win."""
    for name in chunk.get("imports", ()):
        yield from _with_imports(manifest[name], manifest)
    yield chunk


def _unique(files: Iterable[str]) -> tuple[str, ...]:
    """In the same order, each once, as paths below STATIC_URL."""
    return tuple(dict.fromkeys(f"{PREFIX}/{file}" for file in files))
