"""People in front of a browser: signing in, and a device that moves under their eyes."""

import json
import re
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from playwright.sync_api import Locator, Page, expect

from tests.browser import SECONDS, Visit, Visitor, chromium, visit
from tests.e2e.api import Api
from tests.supervisor.commands import manage
from tests.transports.mqtt.client import TELEMETRY
from tests.up import Up, platforms

__all__ = ["chromium", "visit"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

TENANT, CUSTOMER = ("tenant@thingsboard.org", "tenant"), ("customer@thingsboard.org", "customer")
MONTH = 30 * 86400
expect.set_options(timeout=SECONDS * 1000)


@pytest.fixture(scope="module")
def platform(disk_dir: Path) -> Iterator[Up]:
    """A whole platform with the demo's users and devices, which stand still."""
    starting = platforms()
    platform = next(starting)(disk_dir, TB_DEMO=0, TB_LOGIN_MAX_FAILURES=3, TB_ACTIVITY_REPORT_SECONDS=0.2)
    platform.await_ready()
    yield platform
    with pytest.raises(StopIteration):
        next(starting)


class Sensor:
    """A new device of the demo's tenant, which speaks MQTT."""

    def __init__(self, platform: Up) -> None:
        self.port = platform.mqtt_port
        self.name = f"Sensor {uuid.uuid4().hex[:8]}"
        self.token = uuid.uuid4().hex
        Api(platform.http_port).post(f"/api/device?accessToken={self.token}", {"name": self.name})
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.username_pw_set(self.token)

    def send(self, **values: object) -> None:
        """Connects with the first ones; returns when they are acknowledged."""
        if not self.client.is_connected():
            self.client.connect("127.0.0.1", self.port)
            self.client.loop_start()
        message = self.client.publish(TELEMETRY, json.dumps(values), qos=1)
        message.wait_for_publish(10)
        assert message.is_published()


@pytest.fixture
def sensor(platform: Up) -> Iterator[Sensor]:
    fresh = Sensor(platform)
    yield fresh
    fresh.client.disconnect()
    fresh.client.loop_stop()


def sign_in(visitor: Visitor, email: str, password: str, path: str = "/", remember: bool = False) -> Page:
    page = visitor.page
    page.goto(path)
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_label("Stay signed in").set_checked(remember)
    page.get_by_role("button", name="Sign in").click()
    return page


def open_device(visitor: Visitor, sensor: Sensor) -> Page:
    page = sign_in(visitor, *TENANT)
    page.get_by_role("link", name=sensor.name).click()
    expect(page.get_by_role("heading", name=sensor.name)).to_be_visible()
    return page


def value_of(page: Page, key: str) -> Locator:
    return page.locator("tr", has=page.get_by_role("rowheader", name=key, exact=True)).locator(".value")


def chart_of(page: Page, key: str) -> Locator:
    return page.get_by_role("img", name=f"Chart of {key}:")


def tells(words: str) -> dict[str, Any]:
    """What a chart says in words."""
    return {"name": "aria-label", "value": re.compile(words)}


def fits(page: Page) -> bool:
    """Whether nothing sticks out at the right."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_a_device_without_values_says_how_to_send_the_first_and_then_moves(
    platform: Up, visit: Visit, sensor: Sensor
) -> None:
    page = open_device(visit(platform.http_port), sensor)
    first = page.get_by_role("region", name="No values yet")
    expect(page.locator(".activity")).to_have_text("Inactive never heard of")
    expect(first).to_contain_text(f"mosquitto_pub -d -q 1 -h 127.0.0.1 -p {platform.mqtt_port}")
    expect(first).to_contain_text(f"-u {sensor.token} ")
    expect(first).to_contain_text(f"http://127.0.0.1:{platform.http_port}/api/v1/{sensor.token}/telemetry")
    sensor.send(temperature=25.5, led=True, text="hello", nested={"a": [1]})
    expect(first).to_have_count(0)
    for key, text in {"temperature": "25.5", "led": "true", "text": "hello"}.items():
        expect(value_of(page, key)).to_have_text(text)
    expect(value_of(page, "nested")).to_contain_text('"a"')
    expect(chart_of(page, "temperature")).to_have_attribute(**tells("one value, 25.5"))
    expect(page.locator(".activity")).to_have_text(re.compile("^Active last activity (now|. s ago)$"))
    sensor.send(temperature=26.5)
    expect(value_of(page, "temperature")).to_have_text("26.5")
    expect(chart_of(page, "temperature")).to_have_attribute(**tells("2 values from 25.5 to 26.5, the last one is 26.5"))
    expect(page.get_by_text("Live", exact=True)).to_be_visible()


def test_whatever_a_device_sends_is_text(platform: Up, visit: Visit, sensor: Sensor) -> None:
    evil = "<img src=x onerror=\"document.title='taken'\">"
    sensor.send(**{evil: evil, "json": {evil: [evil]}, "<b>bold</b>": 1})
    page = open_device(visit(platform.http_port), sensor)
    expect(value_of(page, evil)).to_have_text(evil)
    value_of(page, "json").locator("summary").click()
    expect(value_of(page, "json").locator("pre")).to_contain_text(evil.replace('"', '\\"'))
    expect(chart_of(page, "<b>bold</b>")).to_have_attribute(**tells("one value, 1"))
    assert page.locator("#device img, #device b").count() == 0
    assert "taken" not in page.title()


def test_the_window_and_the_charts_that_were_chosen_stand_in_the_address(
    platform: Up, visit: Visit, sensor: Sensor
) -> None:
    sensor.send(temperature=20, humidity=50, label="x")
    page = open_device(visit(platform.http_port), sensor)
    expect(page.get_by_role("checkbox", name="Chart of humidity")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Chart of label")).to_have_count(0)
    page.get_by_role("checkbox", name="Chart of temperature").uncheck()
    page.get_by_role("radio", name="24 h").check()
    expect(page).to_have_url(re.compile("window=86400000&keys=humidity$"))
    page.reload()
    expect(chart_of(page, "humidity")).to_have_attribute(**tells("one value, 50"))
    expect(chart_of(page, "temperature")).to_have_count(0)
    expect(page.get_by_role("radio", name="24 h")).to_be_checked()


def test_after_the_server_was_gone_the_page_comes_back_and_has_missed_nothing(
    platform: Up, visit: Visit, sensor: Sensor
) -> None:
    visitor = visit(platform.http_port)
    page = open_device(visitor, sensor)
    sensor.send(temperature=30)
    expect(value_of(page, "temperature")).to_have_text("30")
    platform.child("runweb").kill()
    expect(page.get_by_text("Connection lost.")).to_be_visible()
    expect(page.get_by_text("next try in")).to_be_visible()
    expect(page.locator(".stale")).to_be_visible()
    sensor.send(temperature=40)  # while nobody looks
    sensor.send(temperature=31)
    expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=60_000)
    expect(value_of(page, "temperature")).to_have_text("31")
    expect(chart_of(page, "temperature")).to_have_attribute(**tells("3 values from 30 to 40, the last one is 31"))
    expect(page.locator(".stale")).to_have_count(0)
    sensor.send(temperature=32)
    expect(value_of(page, "temperature")).to_have_text("32")
    visitor.forget("net::ERR", "WebSocket")


def test_who_is_signed_out_elsewhere_is_told_so(platform: Up, visit: Visit, sensor: Sensor) -> None:
    visitor = visit(platform.http_port)
    page = open_device(visitor, sensor)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    address = page.url
    visitor.context.clear_cookies()
    platform.child("runweb").kill()
    expect(page.get_by_text("You are signed out.")).to_be_visible(timeout=60_000)
    platform.await_ready()
    page.get_by_role("link", name="Sign in").click()
    sign_in(visitor, *TENANT, path=page.url)
    expect(page).to_have_url(address)
    visitor.forget("net::ERR", "WebSocket", "401")


def test_a_wrong_password_a_locked_and_a_disabled_account_are_told_apart(platform: Up, visit: Visit) -> None:
    visitor = visit(platform.http_port)
    page = sign_in(visitor, "customerB@thingsboard.org", "wrong")
    alert = page.get_by_role("alert")
    for _ in range(3):
        expect(alert).to_have_text("Invalid username or password")
        page.get_by_role("button", name="Sign in").click()
    expect(alert).to_have_text("User account is locked due to security policy")
    with platform.database() as connection:
        connection.execute("UPDATE tenants_user SET is_active = false WHERE email = 'customerC@thingsboard.org'")
    page = sign_in(visitor, "customerC@thingsboard.org", "customer")
    expect(alert).to_have_text("User account is not active")
    page.get_by_label("Password").fill("")
    page.get_by_role("button", name="Sign in").click()
    expect(alert).to_have_text("Enter your password.")
    expect(page.get_by_label("Password")).to_be_focused()
    visitor.forget("401")


def test_the_login_leads_on_to_a_page_of_ours_and_to_no_other(platform: Up, visit: Visit) -> None:
    page = sign_in(visit(platform.http_port), *TENANT, path="/auth/login?next=//evil.example/")
    expect(page).to_have_url(re.compile(r"^http://127\.0\.0\.1:\d+/devices$"))
    page = sign_in(visit(platform.http_port), *TENANT, path="/devices?search=DHT")
    expect(page).to_have_url(re.compile(r"/devices\?search=DHT$"))
    expect(page.get_by_role("row")).to_have_count(2)


@pytest.mark.parametrize("remember", [False, True])
def test_who_wants_to_be_remembered_is_for_a_month(platform: Up, visit: Visit, remember: bool) -> None:
    visitor = visit(platform.http_port)
    page = sign_in(visitor, *TENANT, remember=remember)
    expect(page.get_by_role("heading", name="Devices")).to_be_visible()
    (cookie,) = [each for each in visitor.context.cookies() if each["name"] == "sessionid"]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax"
    assert (cookie["expires"] - time.time() > MONTH - 600) is remember


def test_a_customers_user_sees_its_own_devices_and_no_other(platform: Up, visit: Visit) -> None:
    visitor = visit(platform.http_port)
    page = sign_in(visitor, *CUSTOMER)
    expect(page.get_by_role("heading", name="Devices")).to_be_visible()
    assert page.get_by_role("rowheader").all_inner_texts() == ["Test Device A1", "Test Device A2", "Test Device A3"]
    foreign = Api(platform.http_port).device_id("Test Device B1")
    answer = page.goto(f"/devices/{foreign}")
    assert answer is not None and answer.status == 404
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    assert "Test Device B1" not in page.content()
    visitor.forget("404")


def test_who_signs_out_is_out(platform: Up, visit: Visit) -> None:
    page = sign_in(visit(platform.http_port), *TENANT)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/devices")
    expect(page).to_have_url(re.compile(r"/auth/login\?next=%2Fdevices$"))


def test_a_new_user_chooses_a_password_and_signs_in_with_it(platform: Up, visit: Visit) -> None:
    program = (
        "from tenants.models import *; from tenants.services.users import create_user;"
        "from tenants.services.activation import activation_link;"
        "admin = User.objects.get(email='tenant@thingsboard.org');"
        "new = create_user('new@example.org', Authority.TENANT_ADMIN, tenant=admin.tenant);"
        "print('token', activation_link(new, shown_to=admin).token)"
    )
    said = manage("shell", "--no-imports", "-c", program, variables=platform.variables)
    token = re.search(r"token (\w{30})", said.stdout)
    assert token, said.stderr
    visitor = visit(platform.http_port, width=390)
    page = visitor.page
    page.goto(f"/api/noauth/activate?activateToken={token[1]}")
    page.get_by_label("Password").fill("first horse")
    page.get_by_label("Once more").fill("another")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("alert")).to_have_text("The two passwords differ.")
    page.get_by_label("Once more").fill("first horse")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_text("Your password is set.")).to_be_visible()
    page = sign_in(visitor, "new@example.org", "first horse", path=page.url)
    expect(page.get_by_role("heading", name="Devices")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_fits_narrow_and_wide_by_day_and_by_night(
    platform: Up, visit: Visit, sensor: Sensor, tmp_path: Path, width: int, scheme: str
) -> None:
    sensor.send(temperature=21, led=False, **{"a-rather-long-key-of-a-device-" + "x" * 60: "y" * 300})
    visitor = visit(platform.http_port, width=width, color_scheme=scheme)
    page = visitor.page
    page.goto("/auth/login")
    assert fits(page)
    page = open_device(visitor, sensor)
    expect(chart_of(page, "temperature")).to_have_attribute(**tells("one value, 21"))
    page.screenshot(path=tmp_path / "device.png", full_page=True)
    assert fits(page)
    page.goto("/devices")
    assert fits(page)
