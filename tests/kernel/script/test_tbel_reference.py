"""The page of TBEL says what there is, and what it says is there."""

import inspect

import pytest

from tests.kernel.script.tbel import Context, started
from thingsboard.kernel.script.tbel.catalog import CLASSES, FUNCTION_NAMES, GETTERS, HELPERS
from thingsboard.settings.env import BASE_DIR

run = pytest.fixture(scope="module", name="run")(started)

PAGE = BASE_DIR / "docs" / "reference" / "tbel.md"
ROLLING = frozenset(
    ("max", "min", "avg", "mean", "sum", "std", "median", "count", "first", "last", "merge", "mergeAll", "matches")
)


def functions() -> str:
    """The part of docs/reference/tbel.md that is made from the catalog."""
    lines: list[str] = []
    for group, helpers in HELPERS.items():
        lines += ["", f"### {group}", "", "| function | gives |", "| --- | --- |"]
        lines += [f"| `{helper.name}({helper.takes})` | {helper.gives} |" for helper in helpers]
    return "\n".join(lines).strip() + "\n"


def members(run: Context) -> str:
    """The part that is made from the methods that values have, and from the classes."""
    methods = run.javascript("$methods")
    windows = [name for name in methods["map"] if name in ROLLING]
    methods["map"] = [name for name in methods["map"] if name not in ROLLING]
    methods["rolling argument"] = windows
    lines = ["| value | methods |", "| --- | --- |"]
    lines += [f"| {kind} | {', '.join(f'`{name}`' for name in sorted(names))} |" for kind, names in methods.items()]
    lines += ["", "| class | static members |", "| --- | --- |"]
    for owner, names in CLASSES.items():
        if names:
            lines.append(f"| `{owner}` | {', '.join(f'`{name}`' for name in sorted(names))} |")
    made = ", ".join(f"`{name}`" for name in sorted(run.javascript("$constructors")))
    lines += ["", f"`new` makes: {made}, and arrays such as `new int[3]` and `new byte[] {{1, 2}}`."]
    return "\n".join(lines) + "\n"


def test_the_page_has_every_function() -> None:
    assert functions() in PAGE.read_text(), "Put this into docs/reference/tbel.md:\n\n" + functions()


def test_the_page_has_every_method_and_class(run: Context) -> None:
    assert members(run) in PAGE.read_text(), "Put this into docs/reference/tbel.md:\n\n" + members(run)


def test_every_function_of_the_catalog_exists_and_no_other(run: Context) -> None:
    assert set(run.javascript("Object.keys($fn)")) == FUNCTION_NAMES
    assert all(helper.gives for group in HELPERS.values() for helper in group)


def test_every_member_of_a_class_exists_and_no_other(run: Context) -> None:
    found = run.javascript(
        "Object.fromEntries(Object.entries($classes).map(([name, members]) => [name, Object.keys(members)]))"
    )
    assert {name: set(names) for name, names in found.items()} == CLASSES


INHERITED = """[...new Set([Object, Array, String, Number, Boolean, BigInt, Function].flatMap(
    (type) => Object.getOwnPropertyNames(type.prototype)))]"""


def test_what_javascripts_objects_have_is_never_read_without_care(run: Context) -> None:
    assert set(run.javascript(inspect.cleandoc(INHERITED))) <= GETTERS
