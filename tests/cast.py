"""A cast of characters for tests: two tenants always exist, and each has what the other must never see.

Acme:  alice administers it, its customer Bistro has the user bob, and its device is assigned to nobody until a test does.
Globex: gina administers it; it owns a device of the same name as Acme's.
sam is the system administrator.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pytest
from rest_framework.test import APIClient

from devices.models import Device
from devices.services.devices import DeviceFields, create_device
from tenants.auth.jwt import issue_pair
from tenants.models import Authority, Customer, Tenant, User
from tenants.services.customers import create_customer
from tenants.services.tenants import create_tenant
from tenants.services.users import create_user

PASSWORD = "correct horse"


@dataclass
class Cast:
    """Who is there. Everything is made when it is first asked for, except the two tenants and their administrators."""

    acme: Tenant = field(default_factory=lambda: create_tenant("Acme"))
    globex: Tenant = field(default_factory=lambda: create_tenant("Globex"))

    def __post_init__(self) -> None:
        self.alice = create_user("alice@acme.example", Authority.TENANT_ADMIN, password=PASSWORD, tenant=self.acme)
        self.gina = create_user("gina@globex.example", Authority.TENANT_ADMIN, password=PASSWORD, tenant=self.globex)

    @cached_property
    def sam(self) -> User:
        return create_user("sam@example.com", Authority.SYS_ADMIN, password=PASSWORD)

    @cached_property
    def bistro(self) -> Customer:
        return create_customer(self.acme, "Bistro")

    @cached_property
    def bob(self) -> User:
        return create_user("bob@bistro.example", Authority.CUSTOMER_USER, password=PASSWORD, customer=self.bistro)

    @cached_property
    def device(self) -> Device:
        return create_device(self.acme.pk, DeviceFields(name="Meter"), token="acme-meter")

    @cached_property
    def bobs_device(self) -> Device:
        return create_device(self.acme.pk, DeviceFields(name="Oven"), token="bistro-oven", customer=self.bistro)

    @cached_property
    def foreign_device(self) -> Device:
        return create_device(self.globex.pk, DeviceFields(name="Meter"), token="globex-meter")


@pytest.fixture
def cast(db: None) -> Cast:
    return Cast()


def api(user: User | None) -> APIClient:
    """A client of the REST API with the user's own token in the header."""
    client = APIClient()
    if user is not None:
        client.credentials(HTTP_X_AUTHORIZATION=f"Bearer {issue_pair(user).token}")
    return client


def error(response: Any) -> tuple[int, int]:
    """Status and error code of ThingsBoard's error body, whose shape is checked on the way."""
    body = response.json()
    assert body["status"] == response.status_code
    assert isinstance(body["message"], str) and isinstance(body["timestamp"], int)
    return response.status_code, body["errorCode"]


def create(client: APIClient, path: str = "/api/device", **body: Any) -> Any:
    """POST a JSON object."""
    return client.post(path, body, format="json")
