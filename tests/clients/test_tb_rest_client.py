"""ThingsBoard's own Python client of the REST API, unmodified, against the web process; 4.3 is the last with RestClientCE."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from tests.cast import PASSWORD, Cast
from tests.clients.environments import python_with
from tests.contracts.routes import ENDPOINTS, Endpoint
from tests.transports.http.test_daphne import web
from tests.transports.mqtt.conftest import from_database
from thingsboard.settings import django as platform_settings

REQUIREMENTS = (
    "tb-rest-client==4.3",
    "python-dateutil==2.9.0.post0",
    "six==1.17.0",
    "PyJWT==2.15.1",
    "requests==2.34.2",
    "certifi==2026.10.18",
    "charset-normalizer==3.5.2",
    "idna==3.20",
    "urllib3==2.8.0",
)
DRIVER = Path(__file__).parent / "drivers" / "tb_rest.py"
PATIENCE = 60.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="session")
def python() -> Path:
    return python_with(*REQUIREMENTS)


def people() -> dict[str, str]:
    """Two tenants with an administrator each, a system administrator, and something of Globex."""
    with override_settings(PASSWORD_HASHERS=platform_settings.PASSWORD_HASHERS):  # those of the web process
        cast = Cast()
        assert cast.foreign_device
        return {"S": cast.sam.email, "T": cast.alice.email}


async def run(python: Path, authority: str, behaviour: str) -> dict[str, Any]:
    """What the client saw; its last line alone, as it may say more."""
    emails = await from_database(people)
    async with web() as server:
        arguments = ("-I", str(DRIVER), f"http://127.0.0.1:{server.port}", emails[authority], PASSWORD, behaviour)
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(str(python), *arguments, stdout=pipe, stderr=pipe)
        async with asyncio.timeout(PATIENCE):
            said, errors = await process.communicate()
        assert process.returncode == 0, (errors.decode(), server.said())
        told: dict[str, Any] = json.loads(said.splitlines()[-1])
    assert told.pop("me") == told.pop("still") == emails[authority]
    return told


async def test_it_logs_in_and_keeps_tenants(transactional_db: None, python: Path) -> None:
    assert await run(python, "S", "tenants") == {
        "made": "Initech",
        "read": "DE",
        "info": "Default",
        "listed": ["Acme", "Globex", "Initech"],
        "infos": ["Initech"],
        "profiles": ["Default"],
        "changed": "Initrode",
        "gone": 404,
    }


async def test_it_keeps_customers(transactional_db: None, python: Path) -> None:
    assert await run(python, "T", "customers") == {
        "made": "Canteen",
        "read": "Bonn",
        "listed": ["Canteen"],
        "found": "Bonn",
        "title": "b'Canteen'",  # its own way with text
        "changed": "Mensa",
        "taken": 400,
        "gone": 404,
    }


async def test_it_keeps_devices_their_credentials_and_customers(transactional_db: None, python: Path) -> None:
    assert await run(python, "T", "devices") == {
        "made": "Pump",
        "type": "default",
        "infos": ["Pump"],
        "listed": ["Pump"],
        "found": "Pump",
        "by_ids": ["Pump"],
        "types": ["default"],
        "token": "pump-token",
        "new_token": "other-token",
        "taken": 400,
        "assigned": True,
        "customers": [["Pump", "Canteen", False]],
        "public": True,
        "changed": "cellar",
        "gone": 404,
    }


async def test_it_keeps_rule_chains(transactional_db: None, python: Path) -> None:
    assert await run(python, "T", "rule_chains") == {
        "made": "Pumps",
        "listed": ["Pumps", "Root Rule Chain"],
        "saved": "Invalid value for `rule_chain_connections`, must not be `None`",  # as with ThingsBoard itself
        "labels": ["done"],
        "version": True,
        "exported": ["Pumps", "Root Rule Chain"],
        "output": ["output"],
        "root": True,
        "kept": 400,
        "gone": 404,
    }


if Endpoint("api/user", "POST") in ENDPOINTS:  # from the day on which it answers there

    async def test_it_keeps_a_tenants_administrators(transactional_db: None, python: Path) -> None:
        assert await run(python, "S", "users") == {
            "made": "new@acme.example",
            "tenant": True,
            "link": True,
            "listed": ["alice@acme.example", "new@acme.example"],
            "changed": "Neo",
            "gone": 404,
        }
