"""`manage.py seed_demo`."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from devices.models import Device
from tenants.models import User
from tenants.services.users import DEMO_PASSWORDS, demo_passwords_in_use, log_in
from tests.cast import Cast


def seed() -> str:
    out = StringIO()
    call_command("seed_demo", stdout=out)
    return out.getvalue()


def test_the_demo_has_thingsboards_users_and_devices(db: None, settings: Any) -> None:
    settings.DEBUG = True
    assert "seeded" in seed()
    assert demo_passwords_in_use() == sorted(DEMO_PASSWORDS)
    for email, password in DEMO_PASSWORDS.items():
        assert log_in(email, password).email == email
    devices = {device.name: device for device in Device.objects.select_related("profile", "customer", "credentials")}
    assert len(devices) == 9
    assert devices["Test Device A3"].credentials.credentials_id == "A3_TEST_TOKEN"
    assert devices["Test Device A3"].customer.title == "Customer A"
    assert devices["DHT11 Demo Device"].credentials.credentials_id == "DHT11_DEMO_TOKEN"
    assert devices["Thermostat T2"].type == "thermostat"


def test_seeding_again_changes_nothing(db: None, settings: Any) -> None:
    settings.DEBUG = True
    seed()
    Device.objects.get(name="Test Device A1").delete()
    assert "in use" in seed()
    assert not Device.objects.filter(name="Test Device A1").exists()


def test_a_database_in_use_gets_no_demo(cast: Cast, settings: Any) -> None:
    settings.DEBUG = True
    assert "in use" in seed()
    assert not User.objects.filter(email__in=DEMO_PASSWORDS).exists()


def test_production_gets_no_demo(db: None, settings: Any) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG=0"):
        seed()
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "page",
    [
        "tenants/tenant",
        "tenants/user",
        "tenants/customer",
        "tenants/tenantprofile",
        "devices/device",
        "devices/deviceprofile",
    ],
)
def test_the_admin_lists_what_there_is_and_no_token(cast: Cast, page: str) -> None:
    assert cast.device and cast.bob
    client = Client()
    client.force_login(cast.sam)
    answer = client.get(f"/admin/{page}/?q=e")
    assert answer.status_code == 200
    assert b"acme-meter" not in answer.content
