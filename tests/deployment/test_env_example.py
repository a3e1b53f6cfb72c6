"""`.env.example` names exactly the variables that the platform reads."""

import os
import re
from pathlib import Path

import thingsboard
from thingsboard.settings import platform

CHECKOUT = Path(thingsboard.__file__).parents[1]
ONLY_COMPOSE = {"POSTGRES_PASSWORD"}
PACKAGES = {path.parent.name for path in CHECKOUT.glob("*/apps.py")}
NOT_OURS = {"PATH", "DJANGO_SETTINGS_MODULE", "PYTHONWARNINGS"}


def example() -> dict[str, str]:
    """Name to value, as they stand there."""
    lines = re.findall(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", (CHECKOUT / ".env.example").read_text(), re.MULTILINE)
    assert len(dict(lines)) == len(lines), "a variable is named twice"
    return dict(lines)


def read() -> set[str]:
    """Every variable that a line of ours reads."""
    reader = re.compile(r"(?:\benv\.\w+\(|environ\.get\(|environ\[)\s*\"([A-Z][A-Z0-9_]*)\"")
    sources = [path for path in CHECKOUT.glob("*/**/*.py") if path.relative_to(CHECKOUT).parts[0] in PACKAGES]
    return {name for path in sources for name in reader.findall(path.read_text())} - NOT_OURS


def test_every_variable_that_is_read_is_in_the_example_and_no_other() -> None:
    assert set(example()) - ONLY_COMPOSE == read()


def test_every_variable_has_a_line_of_meaning() -> None:
    blocks = (CHECKOUT / ".env.example").read_text().split("\n\n")
    for block in blocks:
        meaning = False
        for line in block.splitlines():
            if re.match(r"#[A-Z]", line):
                assert meaning, line
            else:
                meaning = line.startswith("# ") or meaning


def test_the_numbers_are_the_defaults() -> None:
    shown = {name: float(value) for name, value in example().items() if re.fullmatch(r"\d+(\.\d+)?", value)}
    settings = {name: value for name, value in vars(platform).items() if name in shown}
    unset = {name: float(value) for name, value in settings.items() if name not in os.environ}
    assert unset == {name: shown[name] for name in unset}
