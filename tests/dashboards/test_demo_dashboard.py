"""The dashboard of the demo."""

from typing import Any

from django.core.management import call_command

from dashboards.services.demo import TITLE
from devices.models import Device
from tenants.models import User
from tests.cast import api


def test_the_demo_has_a_dashboard_that_its_customer_sees(db: None, settings: Any) -> None:
    settings.DEBUG = True
    call_command("seed_demo")
    customer = api(User.objects.get(email="customer@thingsboard.org"))
    (listed,) = customer.get("/api/v1/dashboards").json()["results"]
    shown = customer.get(f"/api/v1/dashboards/{listed['id']}").json()
    aliases = shown["configuration"]["entityAliases"].values()
    devices = [each for alias in aliases for each in alias["filter"]["entityList"]]
    assert (shown["title"], Device.objects.filter(pk__in=devices).count()) == (TITLE, 5)
    assert api(User.objects.get(email="customerB@thingsboard.org")).get("/api/v1/dashboards").json()["count"] == 0
