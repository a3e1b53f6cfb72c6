"""People in front of a dashboard: it moves under their eyes, and shows nobody what is not theirs."""

import json
import re
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import SECONDS, Visit, chromium, visit
from tests.dashboards.example import configuration
from tests.e2e.api import Api
from tests.e2e.test_pages import CUSTOMER, TENANT, Sensor, fits, platform, sensor, sign_in, tells
from tests.up import Up

__all__ = ["chromium", "platform", "sensor", "visit"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

expect.set_options(timeout=SECONDS * 1000)


class Board:
    """A new dashboard of the demo's tenant, made over the API."""

    def __init__(self, api: Api, *devices: str, title: str = "Heat") -> None:
        self.api = api
        body = {"title": title, "configuration": configuration(*devices)}
        self.id = str(api.post("/api/dashboard", body)["id"]["id"])
        self.path = f"/dashboards/{self.id}"

    def customer(self) -> str:
        """The customer of the demo's customer user."""
        return str(Api(self.api.port, *CUSTOMER).get("/api/auth/user")["customerId"]["id"])

    def assign(self, method: str = "POST") -> None:
        path = f"/api/customer/{self.customer()}/dashboard/{self.id}"
        headers = {"X-Authorization": f"Bearer {self.api.token}"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.api.port}{path}", method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert json.loads(answer.read())["id"]["id"] == self.id


@pytest.fixture
def api(platform: Up) -> Iterator[Api]:
    yield Api(platform.http_port)


def widget(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title, exact=True)


def test_both_kinds_of_widget_move_when_a_device_publishes(
    platform: Up, visit: Visit, sensor: Sensor, api: Api
) -> None:
    board = Board(api, api.device_id(sensor.name))
    sensor.send(temperature=21.5, humidity=40)
    page = sign_in(visit(platform.http_port), *TENANT, path=board.path)
    expect(page.get_by_role("heading", name="Heat")).to_be_visible()
    chart = page.get_by_role("img", name="Chart of History:")
    expect(widget(page, "Now").locator(".figure")).to_have_text("21.5 °C")
    expect(widget(page, "All").get_by_role("row", name=sensor.name)).to_contain_text("40 °C")
    expect(chart).to_have_attribute(**tells("Temperature: one value, 21.5"))
    expect(widget(page, "Where")).to_contain_text("Widgets of the type system.map are not available yet")
    sensor.send(temperature=23)
    expect(widget(page, "Now").locator(".figure")).to_have_text("23 °C")
    expect(chart).to_have_attribute(**tells("2 values from 21.5 to 23, the last one is 23"))
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    assert fits(page)


def test_a_customers_user_sees_it_only_while_it_is_assigned_and_of_it_only_its_own_devices(
    platform: Up, visit: Visit, sensor: Sensor, api: Api
) -> None:
    board = Board(api, api.device_id("Test Device A1"), api.device_id(sensor.name), title="Assigned")
    sensor.send(temperature=99)
    visitor = visit(platform.http_port)
    page = sign_in(visitor, *CUSTOMER, path=board.path)
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    board.assign()
    page.goto("/dashboards")
    page.get_by_role("link", name="Assigned").click()
    expect(widget(page, "All").get_by_role("row", name="Test Device A1")).to_be_visible()
    expect(widget(page, "All")).to_contain_text("No access to 1 of 2")
    assert sensor.name not in page.content() and "99" not in page.locator("#dashboard").inner_text()
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)
    board.assign("DELETE")
    page.reload()
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    visitor.forget("404")


def test_a_device_that_is_taken_away_is_shown_no_more(platform: Up, visit: Visit, sensor: Sensor, api: Api) -> None:
    board = Board(api, api.device_id(sensor.name), title="Withdrawn")
    sensor.send(temperature=55)
    page = sign_in(visit(platform.http_port), *TENANT, path=board.path)
    expect(widget(page, "Now").locator(".figure")).to_have_text("55 °C")
    headers = {"X-Authorization": f"Bearer {api.token}"}
    path = f"http://127.0.0.1:{api.port}/api/device/{api.device_id(sensor.name)}"
    with urllib.request.urlopen(urllib.request.Request(path, method="DELETE", headers=headers), timeout=30):
        pass
    expect(widget(page, "Now")).to_contain_text("No access")
    expect(widget(page, "Now").locator(".figure")).to_have_count(0)


def test_a_strangers_dashboard_is_not_found(platform: Up, visit: Visit) -> None:
    visitor = visit(platform.http_port)
    page = sign_in(visitor, *TENANT, path="/dashboards/5c9a153a-e51f-11f1-88cb-5d1941fd97de")
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()
    visitor.forget("404")


def test_the_editor_says_what_is_wrong_and_where_and_then_saves(platform: Up, visit: Visit, api: Api) -> None:
    board = Board(api, api.device_id("Test Device A1"), title="Edited")
    visitor = visit(platform.http_port)
    page = sign_in(visitor, *TENANT, path=board.path)
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    page.get_by_role("link", name="Edit").click()
    field, alert = page.get_by_label("Configuration, as JSON"), page.get_by_role("alert")
    good = field.input_value()
    field.fill("{")
    page.get_by_role("button", name="Save").click()
    expect(alert).to_contain_text("The configuration is not valid JSON")
    field.fill(good.replace('"sizeX": 16', '"sizeX": "wide"', 1))
    page.get_by_role("button", name="Save").click()
    expect(alert).to_contain_text(
        re.compile(r"^configuration\.states\.default\..*\.sizeX: expected a number, got a text$")
    )
    visitor.forget("400")
    page.get_by_label("Title").fill("Edited twice")
    field.fill(good.replace("Heat & light, 20 °C", "Changed"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Edited twice")).to_be_visible()
    expected: dict[str, Any] = configuration(api.device_id("Test Device A1")) | {"description": "Changed"}
    assert api.get(f"/api/dashboard/{board.id}")["configuration"] == expected
    page.goto("/dashboards/new")
    page.get_by_label("Title").fill("Fresh")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("This dashboard has no widgets yet.")).to_be_visible()


def test_it_says_when_the_connection_is_lost_and_misses_nothing(
    platform: Up, visit: Visit, sensor: Sensor, api: Api
) -> None:
    board = Board(api, api.device_id(sensor.name), title="Interrupted")
    sensor.send(temperature=30)
    visitor = visit(platform.http_port)
    page = sign_in(visitor, *TENANT, path=board.path)
    expect(widget(page, "Now").locator(".figure")).to_have_text("30 °C")
    platform.child("runweb").kill()
    expect(page.get_by_text("Connection lost.")).to_be_visible()
    expect(page.locator(".grid.stale")).to_be_visible()
    sensor.send(temperature=40)  # while nobody looks
    sensor.send(temperature=31)
    expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=60_000)
    expect(widget(page, "Now").locator(".figure")).to_have_text("31 °C")
    chart = page.get_by_role("img", name="Chart of History:")
    expect(chart).to_have_attribute(**tells("3 values from 30 to 40, the last one is 31"))
    visitor.forget("net::ERR", "WebSocket")


@pytest.mark.parametrize(
    ("who", "width", "scheme"),
    [(TENANT, 1280, "light"), (TENANT, 390, "dark"), (CUSTOMER, 1280, "dark"), (CUSTOMER, 390, "light")],
)
def test_the_demos_dashboard_fits_on_every_screen(
    platform: Up, visit: Visit, api: Api, who: tuple[str, str], width: int, scheme: str, tmp_path: Any
) -> None:
    now = int(time.time() * 1000)
    for name, keys in {
        "DHT11 Demo Device": ("temperature", "humidity"),
        "Raspberry Pi Demo Device": ("cpuLoad",),
    }.items():
        points = [
            {"ts": now - 5000 * age, "values": {key: 20 + (age * 7 + len(key)) % 13 for key in keys}}
            for age in range(60)
        ]
        path = f"/api/v1/telemetry/DEVICE/{api.device_id(name)}/timeseries"
        assert api.post(path, points) == {"saved": 60 * len(keys)}
    visitor = visit(platform.http_port, width=width, color_scheme=scheme)
    page = sign_in(visitor, *who, path="/dashboards")
    assert fits(page)
    page.get_by_role("link", name="Climate and computers").click()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(widget(page, "Test devices").get_by_role("row")).to_have_count(4)
    if who is TENANT:
        expect(page.get_by_role("img", name="Chart of Room climate:")).to_have_attribute(
            **tells(r"\d+ values from 20 to 32")
        )
    else:
        expect(widget(page, "Room climate")).to_contain_text("No access")
    assert fits(page)
    expect(widget(page, "Test devices").get_by_role("columnheader", name="Humidity")).to_be_visible()
    boxes = [each.bounding_box() for each in page.locator(".widget").all()]
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            assert one and other
            apart_x = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
            apart_y = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
            assert apart_x or apart_y
    page.screenshot(path=tmp_path / f"{who[1]}-{width}.png", full_page=True)
