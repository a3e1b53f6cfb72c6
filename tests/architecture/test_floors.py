"""The floors and rooms (docs/decisions/0001): no exceptions, and no contract that could never fail."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
from django.apps import apps
from django.db.models import ForeignKey, ManyToManyField

from tests.architecture.sources import CONTRACTS, FLOORS, PACKAGES
from thingsboard.settings.env import BASE_DIR

# For each contract, in the order of pyproject.toml, an import that it forbids: (file, what it must not import).
OFFENCES = (
    ("tenants/limits.py", "devices.models"),
    ("thingsboard/embedded/launch.py", "thingsboard.kernel.time"),
    ("devices/querysets.py", "devices.models"),
    ("rules/node/config.py", "rules.registry"),
    ("rules/nodes/flow/output.py", "django"),
    ("tenants/access.py", "tenants.services.users"),
    ("telemetry/store/rows.py", "telemetry.models"),
    ("thingsboard/transports/session.py", "thingsboard.transports.mqtt.packets"),
    ("telemetry/points.py", "telemetry.api.shapes"),
    ("telemetry/live/conflation.py", "telemetry.live.hub"),
    ("thingsboard/kernel/time.py", "amqtt"),
    ("tenants/querysets.py", "guardian"),
)


def lint(directory: Path) -> str:
    """What import-linter says of the packages in a directory."""
    program = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    done = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=directory, env={**os.environ, "PYTHONPATH": str(directory), "COLUMNS": "300"},
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_every_contract_can_fail(tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(
            BASE_DIR / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "node_modules")
        )
    shutil.copy(BASE_DIR / "pyproject.toml", tmp_path)
    for file, module in OFFENCES:
        with (tmp_path / file).open("a") as source:
            source.write(f"\nimport {module}  # forbidden\n")
    (tmp_path / "devices" / "helpers.py").write_text('"""A module that no room expects."""\n')
    output = lint(tmp_path)
    kept = re.findall(r"^(.+) KEPT$", output, re.MULTILINE)
    broken = re.findall(r"^(.+) BROKEN$", output, re.MULTILINE)
    assert (kept, broken) == ([], [contract["name"] for contract in CONTRACTS]), output
    for file, module in OFFENCES:
        source = file.removesuffix(".py").replace("/", ".")
        assert re.search(rf"{re.escape(source)}\b.*->.*{re.escape(module.split('.')[0])}", output), (source, module)
    assert "devices.helpers" in output


def test_there_are_no_exceptions() -> None:
    for contract in CONTRACTS:
        assert contract["ignore_imports"] == [], contract["name"]
        assert contract.get("exhaustive_ignores", ["migrations"]) == ["migrations"], contract["name"]


def test_every_package_with_an_app_stands_on_a_floor() -> None:
    packages = {path.parent.name for path in BASE_DIR.glob("*/apps.py")}
    assert packages == set(PACKAGES)
    assert packages - {"thingsboard"} <= {name for floor in FLOORS for name in floor}


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    circles = []
    for module in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(module)):
            if back := graph.find_shortest_chain(imported, module):
                circles.append(" -> ".join([module, *back]))
    assert circles == []


def test_foreign_keys_point_down() -> None:
    upwards = []
    for model in apps.get_models():
        own = floor_of(model._meta.app_config.name)
        for field in model._meta.get_fields():
            if isinstance(field, ForeignKey | ManyToManyField) and own is not None:
                target = floor_of(field.related_model._meta.app_config.name)  # type: ignore[union-attr]
                if target is not None and target < own:
                    upwards.append(f"{model._meta.label}.{field.name}")
    assert upwards == []


def floor_of(package: str) -> int | None:
    """The number of its floor, counted from the top; None for what is not ours and lies beneath everything."""
    for number, floor in enumerate(FLOORS):
        if package in floor:
            return number
    return 0 if package.split(".")[0] in PACKAGES else None
