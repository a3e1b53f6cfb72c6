"""What somebody needs to connect a device: its credentials, and commands that work as they are."""

import json
import shlex
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.http import HttpRequest

from devices.models import CredentialsType, DeviceCredentials
from tenants.address import base_url

EXAMPLE = '{"temperature":25}'


class Command(NamedTuple):
    """A line for a shell."""

    title: str
    line: str


def commands(credentials: DeviceCredentials, request: HttpRequest) -> list[Command]:
    """How a device with these credentials sends a value to this platform; none for certificates and LwM2M."""
    web = base_url(request)
    host = urlsplit(web).hostname or "localhost"
    publish = f"mosquitto_pub -d -q 1 -h {shlex.quote(host)} -p {settings.TB_MQTT_PORT} -t v1/devices/me/telemetry"
    if credentials.credentials_type == CredentialsType.ACCESS_TOKEN:
        token = credentials.credentials_id
        url = f"{web}/api/v1/{quote(token, safe='')}/telemetry"
        return [
            Command("MQTT", f"{publish} -u {shlex.quote(token)} -m '{EXAMPLE}'"),
            Command("HTTP", f"curl -sS -X POST {shlex.quote(url)} -H 'Content-Type: application/json' -d '{EXAMPLE}'"),
        ]
    if credentials.credentials_type == CredentialsType.MQTT_BASIC:
        return [Command("MQTT", f"{publish} {_basic(credentials)} -m '{EXAMPLE}'")]
    return []


def _basic(credentials: DeviceCredentials) -> str:
    """Client id and user name; the password is for its holder to type."""
    known: dict[str, Any] = json.loads(credentials.credentials_value or "{}")
    options = [("-i", known.get("clientId")), ("-u", known.get("userName"))]
    found = [f"{option} {shlex.quote(value)}" for option, value in options if value]
    if known.get("password"):
        found.append("-P PASSWORD")
    return " ".join(found)
