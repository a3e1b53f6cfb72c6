"""The token for a minute with which a browser opens a WebSocket."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.cast import PASSWORD, Cast, api, error
from tests.tenants.clock import clock
from tests.tenants.test_browser_session import Browser

__all__ = ["clock"]

PATH = "/api/v1/auth/socketToken"


@pytest.fixture
def browser(cast: Cast) -> Browser:
    fresh = Browser()
    assert fresh.log_in(cast.alice.email).status_code == 200
    return fresh


def bearer(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_X_AUTHORIZATION=f"Bearer {token}")
    return client


def test_it_is_the_browsers_user_for_a_minute(browser: Browser, cast: Cast, clock: Any) -> None:
    answer = browser.post(PATH)
    body = answer.json()
    assert (answer.status_code, set(body), body["expires_in"]) == (200, {"token", "expires_in"}, 60)
    assert "no-store" in answer["Cache-Control"]
    client = bearer(body["token"])
    assert client.get("/api/auth/user").json()["email"] == cast.alice.email
    clock(61)
    assert error(client.get("/api/auth/user")) == (401, 11)
    refreshed = APIClient().post("/api/auth/token", {"refreshToken": body["token"]}, format="json")
    assert refreshed.status_code == 401


def test_it_ends_with_the_browsers_session_and_no_other(browser: Browser, cast: Cast) -> None:
    other = Browser()
    other.log_in(cast.alice.email)
    ours, again, theirs = (bearer(each.post(PATH).json()["token"]) for each in (browser, browser, other))
    assert browser.post("/api/auth/logout").status_code == 200
    assert [error(each.get("/api/auth/user")) for each in (ours, again)] == [(401, 10), (401, 10)]
    assert theirs.get("/api/auth/user").status_code == 200


def test_a_new_password_ends_it(browser: Browser) -> None:
    token = bearer(browser.post(PATH).json()["token"])
    browser.post("/api/auth/changePassword", {"currentPassword": PASSWORD, "newPassword": "another horse"})
    assert error(token.get("/api/auth/user")) == (401, 10)


def test_it_is_for_pages_of_ours_only(browser: Browser, cast: Cast) -> None:
    assert browser.client.post(PATH).status_code == 403  # without the proof
    assert APIClient().post(PATH).status_code == 401
    assert api(cast.alice).post(PATH).status_code == 400
    assert browser.get(PATH).status_code == 405
