"""The reference pages say what the code says, and every link in the documentation leads somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.architecture.test_every_view_is_guarded import KEY, ROUTES
from thingsboard.settings import platform
from thingsboard.settings.env import BASE_DIR
from thingsboard.transports.mqtt.topics import LATER, SUBSCRIPTIONS, UPLINKS

REFERENCE = BASE_DIR / "docs" / "reference"
PAGES = sorted([*BASE_DIR.glob("*.md"), *(BASE_DIR / "docs").rglob("*.md")])


def example() -> Iterator[tuple[str, str, str]]:
    """Every setting of .env.example: section, or name with its default, and what it means."""
    meaning: list[str] = []
    fresh = True
    for line in (BASE_DIR / ".env.example").read_text().splitlines():
        if title := re.fullmatch(r"# --- (.+) ---", line):
            meaning, fresh = [], True
            yield title[1], "", ""
        elif setting := re.fullmatch(r"#?([A-Z][A-Z0-9_]*)=(.*)", line):
            yield setting[1], setting[2], " ".join(meaning)
            fresh = True
        elif line.startswith("# "):
            meaning = [line[2:]] if fresh else [*meaning, line[2:]]
            fresh = False


def settings_table() -> str:
    """The tables of docs/reference/settings.md, made from .env.example."""
    lines: list[str] = []
    for name, default, meaning in example():
        if not meaning:
            lines += ["", f"## {name}", "", "| variable | default | meaning |", "| --- | --- | --- |"]
        else:
            lines.append(f"| `{name}` | {f'`{default}`' if default else ''} | {meaning} |")
    return "\n".join(lines).strip() + "\n"


def test_the_page_of_settings_is_that_of_the_example() -> None:
    page = (REFERENCE / "settings.md").read_text()
    assert settings_table() in page, "Put this into docs/reference/settings.md:\n\n" + settings_table()


def test_every_setting_of_ours_is_on_the_page() -> None:
    page = (REFERENCE / "settings.md").read_text()
    names = [name for name in vars(platform) if name.startswith("TB_")]
    assert names and all(hasattr(settings, name) for name in names)
    assert [name for name in names if f"`{name}`" not in page] == []


def test_every_bound_that_can_be_set_is_on_the_page_of_limits() -> None:
    page = (REFERENCE / "limits.md").read_text()
    names = [
        name for name in vars(platform) if re.match(r"TB_.*(MAX|LIMIT|TIMEOUT|BUFFER|SIZE|BATCH|DAYS|SECONDS)", name)
    ]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_every_topic_is_on_the_page_of_mqtt() -> None:
    page = (REFERENCE / "mqtt.md").read_text()
    topics = [*(topic.decode() for topic in (*UPLINKS, *LATER)), *SUBSCRIPTIONS]
    assert sorted({topic for topic in topics if f"`{topic}" not in page}) == []


def test_every_route_is_on_the_page_of_its_api() -> None:
    page = "".join((REFERENCE / name).read_text() for name in ("rest.md", "api-v1.md", "pages.md"))
    paths = re.findall(
        r"`/((?:(?:api|setup|auth|login|devices|dashboards)/[^`?\s]+|devices|dashboards|activationLinkExpired))`", page
    )
    named = {re.sub(r"\{[^}]+\}", KEY, path) for path in paths}
    assert named == set(ROUTES) - {"", "favicon.ico", "swagger-ui", "redoc", f"api/{KEY}"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(BASE_DIR)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_can_be_reached_from_the_index() -> None:
    index = (BASE_DIR / "docs" / "index.md").read_text()
    pages = [str(page.relative_to(BASE_DIR / "docs")) for page in PAGES if page.is_relative_to(BASE_DIR / "docs")]
    assert [page for page in pages if page != "index.md" and f"({page})" not in index] == []
