"""The files of the checkout, and what pyproject.toml says of its building."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from thingsboard.settings.env import BASE_DIR

CONTRACTS: list[dict[str, Any]]
_TOOL = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["tool"]["importlinter"]
PACKAGES: tuple[str, ...] = tuple(_TOOL["root_packages"])
CONTRACTS = _TOOL["contracts"]
# Top floor first; a floor may hold several names.
FLOORS: list[list[str]] = [[name.strip() for name in floor.split("|")] for floor in CONTRACTS[0]["layers"]]

_NOT_SOURCE = {"__pycache__", "node_modules", "var", "staticfiles", "migrations"}


def python_files(*roots: str) -> Iterator[Path]:
    """Every module under these top-level directories, migrations aside."""
    for root in roots:
        for path in sorted((BASE_DIR / root).rglob("*.py")):
            if not _NOT_SOURCE & set(path.relative_to(BASE_DIR).parts):
                yield path


def text_files() -> Iterator[tuple[Path, str]]:
    """Every text file that a checkout holds, with its text; what tools leave behind aside."""
    for path in sorted(BASE_DIR.rglob("*")):
        parts = path.relative_to(BASE_DIR).parts
        hidden = any(part.startswith(".") for part in parts[:-1]) and parts[0] != ".ci"
        if hidden or _NOT_SOURCE - {"migrations"} & set(parts) or not path.is_file():
            continue
        try:
            yield path, path.read_text()
        except UnicodeDecodeError:
            continue
