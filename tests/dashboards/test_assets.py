"""What the front end's build leaves behind, and how it is served."""

import gzip
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from dashboards.pages import assets
from thingsboard.settings.env import BASE_DIR

FRONTEND = BASE_DIR / "dashboards" / "frontend"
ENTRIES = ("shell", "login", "password", "device")


def fetch(path: str, **headers: str) -> tuple[Any, bytes]:
    """The answer and its body."""
    answer: Any = Client().get(f"/static/{path}", headers=headers)
    body = b"".join(answer) if answer.streaming else answer.content
    return answer, body


@pytest.mark.parametrize("entry", ENTRIES)
def test_every_file_of_a_page_is_served_and_kept_for_good(entry: str) -> None:
    found = assets.assets_of("shell", entry)
    assert found.styles and found.scripts
    for file in (*found.scripts, *found.imports, *found.styles):
        answer, _ = fetch(file)
        assert answer.status_code == 200 and "immutable" in answer["Cache-Control"], file
        assert re.search(r"-[\w-]{8}\.(js|css)$", file), file


def test_what_has_no_hash_in_its_name_is_asked_for_again() -> None:
    answer, _ = fetch("dashboards/icon.svg")
    assert answer.status_code == 200 and "immutable" not in answer["Cache-Control"]


def test_files_come_compressed_to_who_takes_them_so() -> None:
    (script,) = assets.assets_of("device").scripts
    packed, body = fetch(script, **{"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip" and packed["Vary"] == "Accept-Encoding"
    assert gzip.decompress(body) == fetch(script)[1]


def test_the_lock_file_names_versions_and_sums_but_no_place_to_get_them_from() -> None:
    packages = json.loads((FRONTEND / "package-lock.json").read_text())["packages"]
    assert len(packages) > 10
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []
    assert "omit-lockfile-registry-resolved=true" in (FRONTEND / ".npmrc").read_text()


def test_data_never_becomes_markup() -> None:
    sources = [path.read_text() for path in FRONTEND.joinpath("src").rglob("*.ts*")]
    assert len(sources) > 10
    assert not [text for text in sources if re.search(r"innerHTML|outerHTML|insertAdjacentHTML|localStorage", text)]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The front end alone, in a copy with a builder that says what it would run."""
    target = tmp_path / "dashboards" / "frontend"
    shutil.copytree(FRONTEND, target, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    return target


def build(checkout: Path) -> list[str]:
    """What npm was asked for by one build."""
    program = (
        f"import sys; sys.path.insert(0, {str(checkout)!r}); import build\n"
        "def npm(*arguments):\n"
        "    print('npm', arguments[0])\n"
        "    for folder, name in ((build.MODULES, 'x'), (build.BUILT, 'manifest.json')):\n"
        "        folder.mkdir(parents=True, exist_ok=True); (folder / name).write_text('{}')\n"
        "build.npm = npm\n"
        "sys.exit(build.main([]))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    return re.findall(r"^npm (\w+)", done.stdout, re.MULTILINE)


def test_a_build_is_made_anew_only_when_something_has_changed(checkout: Path) -> None:
    assert build(checkout) == ["ci", "run"]
    assert build(checkout) == []
    (checkout / "src" / "style.css").write_text("body {}")
    assert build(checkout) == ["run"]
    with (checkout / "package.json").open("a") as file:
        file.write("\n")
    assert build(checkout) == ["ci", "run"]
    (checkout.parent / "static" / "dashboards" / "manifest.json").unlink()
    assert build(checkout) == ["run"]
    assert build(checkout) == []


def test_a_builder_that_cannot_says_why_on_one_line(checkout: Path) -> None:
    argv = [sys.executable, str(checkout / "build.py"), "bake"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (1, "front end: 'bake': expected build, check, test or npm.\n")
