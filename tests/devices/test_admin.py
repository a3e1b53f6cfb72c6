"""What the admin shows of devices."""

import json

from django.test import Client

from devices.services.credentials import update_credentials
from tests.cast import Cast


def test_the_admin_shows_the_kind_of_credentials_and_nothing_of_them(cast: Cast) -> None:
    value = json.dumps({"userName": "the-user", "password": "the-password"})
    update_credentials(cast.device, "MQTT_BASIC", credentials_value=value)
    client = Client()
    client.force_login(cast.sam)
    for path in ("/admin/devices/device/", f"/admin/devices/device/{cast.device.pk}/change/"):
        page = client.get(path)
        assert page.status_code == 200
        assert "MQTT_BASIC" in page.text
        assert "the-user" not in page.text and "the-password" not in page.text
