"""ThingsBoard's demo (compat/data_model.md 13), so that its tutorials work as written."""

from typing import Any

from django.db import transaction

from devices.models import Device
from devices.services.devices import DeviceFields, create_device
from tenants.models import Authority, Customer, Tenant, User
from tenants.services.customers import create_customer
from tenants.services.tenants import create_tenant
from tenants.services.users import DEMO_PASSWORDS, create_user

DOMAIN = "thingsboard.org"

# Customer's letter -> names of its devices, whose tokens are A1_TEST_TOKEN and so on.
_TEST_DEVICES = {"A": ("A1", "A2", "A3"), "B": ("B1",), "C": ("C1",)}
_TUTORIAL_DEVICES = {
    "DHT11 Demo Device": (
        "DHT11_DEMO_TOKEN",
        "Demo device that is used in sample applications that upload data from DHT11 temperature and humidity sensor",
    ),
    "Raspberry Pi Demo Device": (
        "RASPBERRY_PI_DEMO_TOKEN",
        "Demo device that is used in Raspberry Pi GPIO control sample application",
    ),
}


def is_empty() -> bool:
    """Whether nobody has used this database yet."""
    return not (User.objects.exists() or Tenant.objects.exists())


@transaction.atomic
def seed_demo() -> None:
    """The demo's users, tenant, customers and devices. For an empty database (`is_empty`)."""
    _user("sysadmin", Authority.SYS_ADMIN)
    tenant = create_tenant("Tenant")
    _user("tenant", Authority.TENANT_ADMIN, tenant=tenant)
    for letter, names in _TEST_DEVICES.items():
        customer = create_customer(tenant, f"Customer {letter}")
        _user(f"customer{letter}", Authority.CUSTOMER_USER, customer=customer)
        if letter == "A":
            _user("customer", Authority.CUSTOMER_USER, customer=customer)
        for name in names:
            _device(tenant, f"Test Device {name}", f"{name}_TEST_TOKEN", customer=customer)
    for name, (token, description) in _TUTORIAL_DEVICES.items():
        _device(tenant, name, token, additional_info={"description": description})
    for name in ("T1", "T2"):
        _device(tenant, f"Thermostat {name}", f"{name}_DEMO_TOKEN", type="thermostat")


def _user(name: str, authority: Authority, **place: Any) -> User:
    email = f"{name}@{DOMAIN}"
    return create_user(email, authority, password=DEMO_PASSWORDS[email], **place)


def _device(tenant: Tenant, name: str, token: str, *, customer: Customer | None = None, **fields: Any) -> Device:
    return create_device(tenant.pk, DeviceFields(name=name, **fields), token=token, customer=customer)
