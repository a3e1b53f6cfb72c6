"""docker-compose.yml runs what `manage.py up` runs, and is as closed as it says. (No container engine is needed.)"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import thingsboard
from thingsboard.embedded.valkey import Valkey
from thingsboard.supervisor.platform import PREPARE
from thingsboard.supervisor.processes import Plan, table

CHECKOUT = Path(thingsboard.__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
PROCESSES = {process.name: process for process in table(Plan(data_dir=Path("/data")))}


def test_every_process_of_up_has_a_service_with_the_same_command() -> None:
    assert {name: tuple(SERVICES[name]["command"]) for name in PROCESSES} == {
        name: process.command for name, process in PROCESSES.items()
    }


def test_there_is_no_service_that_up_does_not_know() -> None:
    assert set(SERVICES) - set(PROCESSES) == {"postgres", "valkey", "migrate"}


def test_the_set_up_is_the_same_and_runs_once_before_the_others() -> None:
    assert tuple(SERVICES["migrate"]["command"]) == PREPARE
    assert SERVICES["migrate"]["restart"] == "no"
    for name in PROCESSES:
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_is_unprivileged_and_read_only(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_every_lasting_service_is_watched_and_restarted(name: str) -> None:
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}


def test_images_are_pinned_and_timescale_is_the_community_edition() -> None:
    for name in ("postgres", "valkey"):
        assert re.search(r":\d+\.\d+", SERVICES[name]["image"]), name
    assert re.fullmatch(r"timescale/timescaledb:\d+\.\d+\.\d+-pg\d+", SERVICES["postgres"]["image"])


def test_valkey_keeps_and_throws_away_the_same_as_the_embedded_one(tmp_path: Path) -> None:
    embedded = Valkey(tmp_path).argv()
    command = SERVICES["valkey"]["command"]
    for option in ("--save", "--appendonly", "--maxmemory", "--maxmemory-policy", "--client-output-buffer-limit"):
        assert command[command.index(option) + 1] == embedded[embedded.index(option) + 1], option


def test_production_is_what_compose_runs() -> None:
    for name in PROCESSES:
        environment = SERVICES[name]["environment"]
        assert environment["DEBUG"] == "0"
        assert environment["TB_DATA_DIR"] == "/data"


def test_the_image_carries_every_app_and_runs_as_the_user_of_compose() -> None:
    dockerfile = (CHECKOUT / "Dockerfile").read_text()
    ignored = (CHECKOUT / ".dockerignore").read_text()
    for package in CHECKOUT.glob("*/apps.py"):
        assert f"COPY {package.parent.name} {package.parent.name}\n" in dockerfile
        assert f"!{package.parent.name}\n" in ignored
    assert f"USER {SERVICES['web']['user']}\n" in dockerfile


def test_the_image_carries_the_built_pages_and_not_what_built_them() -> None:
    builder, image = (CHECKOUT / "Dockerfile").read_text().split("\nFROM ")[1:]
    assert "COPY requirements.txt .npmrc ./\n" in builder and "RUN python dashboards/frontend/build.py\n" in builder
    assert "COPY --from=frontend /app/dashboards/static dashboards/static\n" in image
    assert image.index("COPY dashboards dashboards") < image.index("COPY --from=frontend") < image.index("USER ")
    assert re.search(r"grep -v -E '\^\([^)]*\bnodejs-wheel-binaries\b[^)]*\)' requirements\.txt", image)
    ignored = (CHECKOUT / ".dockerignore").read_text().splitlines()
    assert {"!.npmrc", "**/node_modules", "dashboards/static"} <= set(ignored)
