"""Devices with other credentials than access tokens."""

import json

from devices.services.credentials import update_credentials
from tests.transports.mqtt.conftest import World


def basic(client_id: str = "", user: str = "", password: str = "") -> str:
    return json.dumps({"clientId": client_id, "userName": user, "password": password})


def give(world: World, name: str, kind: str, value: str) -> None:
    world.device(name)
    update_credentials(world.devices[name], kind, credentials_value=value)
