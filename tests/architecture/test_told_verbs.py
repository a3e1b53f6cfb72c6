"""Every function of the services that tells the rule chains something is killed around its COMMIT in some test."""

import ast
from pathlib import Path

from tests.architecture.sources import PACKAGES, python_files
from thingsboard.settings.env import BASE_DIR

# Modules whose functions append events; and how they are called as members of what is imported.
_TELL = frozenset({"events", "documents"})
_MEMBERS = frozenset({
    "events.announce", "events.append", "outbox.append", "outbox.append_many", "outbox.append_on",
})  # fmt: skip
# Called by verbs alone, in whose transaction they are: not killed by name.
_PARTS = frozenset({"asset_profile_by_name", "follow_renames", "profile_by_name", "public_customer"})
# The same deed as another one, for several at a time or one.
_ALIKE = frozenset({"add_customers", "keep_assigned", "keep_unassigned", "remove_customers", "reconsider"})


def test_every_verb_that_tells_of_its_deed_is_killed_around_its_commit() -> None:
    tests = [*sorted((BASE_DIR / "tests/verbs").glob("*.py")), BASE_DIR / "tests/rules/test_killed_after_commit.py"]
    tested = {name for path in tests for name in _names(ast.parse(path.read_text()))}
    telling = {name for path in _services() for name in _telling(ast.parse(path.read_text()))}
    assert {"create_device", "save_points", "record", "retry_all", "set_root"} <= telling
    assert telling - tested - _PARTS - _ALIKE == set()


def _services() -> list[Path]:
    """The modules with verbs; those that only append what they are given aside."""
    found = python_files(*(each for each in PACKAGES if each != "thingsboard"))
    verbs = (path for path in found if path.parent.name == "services" or path.name == "deeds.py")
    return [path for path in verbs if path.stem not in {"events", "documents"} and not path.stem.endswith("_events")]


def _telling(module: ast.Module) -> set[str]:
    """The public functions that tell, by themselves or through others of the module."""
    bodies = {each.name: _names(each) for each in module.body if isinstance(each, ast.FunctionDef)}
    imports = [each for each in module.body if isinstance(each, ast.ImportFrom) and each.module]
    here = {each.name for one in imports if str(one.module).rpartition(".")[2] in _TELL for each in one.names}
    tellers = _MEMBERS | {name for name in here if name.startswith(("announce", "tell"))}
    telling = {name for name, names in bodies.items() if names & tellers}
    while more := {name for name, names in bodies.items() if names & telling} - telling:
        telling |= more
    return {name for name in telling if not name.startswith("_") and name != "take_leave"}


def _names(node: ast.AST) -> set[str]:
    """Every name in it, and each attribute with and without what it is of."""
    found = set()
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            found.add(each.id)
        elif isinstance(each, ast.Attribute):
            found.add(each.attr)
            if isinstance(each.value, ast.Name):
                found.add(f"{each.value.id}.{each.attr}")
    return found
