"""The session cookie of browsers, on the endpoints that tokens open, too."""

import re
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.test import Client
from rest_framework.test import APIClient

from tenants.services.sessions import set_enabled
from tests.cast import PASSWORD, Cast, api, error
from tests.supervisor.commands import environment, manage

HOUR, MONTH = 3600, 30 * 86400


class Browser:
    """Cookies, and scripts of ours that send the CSRF token as a header."""

    def __init__(self) -> None:
        self.client = APIClient(enforce_csrf_checks=True)
        self.token = self.client.get("/api/auth/csrf").json()["csrfToken"]

    def log_in(self, email: str, password: str = PASSWORD, path: str = "/api/auth/login", **more: Any) -> Any:
        answer = self.post(path, {"username": email, "password": password, "session": True, **more})
        if "csrftoken" in answer.cookies:
            self.token = answer.cookies["csrftoken"].value
        return answer

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        return self.client.post(path, body or {}, format="json", headers={"X-CSRFToken": self.token}, **options)

    def get(self, path: str) -> Any:
        return self.client.get(path)


@pytest.fixture
def browser(cast: Cast) -> Browser:
    fresh = Browser()
    assert fresh.log_in(cast.alice.email).status_code == 200
    return fresh


@pytest.mark.parametrize(("remember", "seconds"), [(False, HOUR), (True, MONTH)])
def test_a_session_lasts_an_hour_or_when_remembered_a_month(cast: Cast, remember: bool, seconds: int) -> None:
    browser = Browser()
    answer = browser.log_in(cast.alice.email, remember_me=remember)
    assert answer.json() == {"expiresIn": seconds}  # and no token that a script could carry off
    cookie = answer.cookies["sessionid"]
    assert (cookie["max-age"], cookie["httponly"], cookie["samesite"], cookie["path"]) == (seconds, True, "Lax", "/")
    assert browser.get("/api/auth/user").json()["email"] == cast.alice.email
    assert browser.get("/api/tenant/devices?pageSize=1&page=0").status_code == 200


def test_our_own_api_says_it_in_its_own_words(cast: Cast) -> None:
    browser = Browser()
    answer = browser.log_in(cast.alice.email, path="/api/v1/auth/login")
    assert answer.json() == {"expires_in": HOUR}
    assert browser.get("/api/v1/auth/user").json()["email"] == cast.alice.email
    assert browser.post("/api/v1/auth/logout").status_code == 200
    assert browser.get("/api/v1/auth/user").status_code == 401


def test_cookies_are_secure_in_production_and_lax_everywhere(tmp_path: Any) -> None:
    show = (
        "from django.conf import settings as s;"
        "print([s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY, s.SESSION_COOKIE_SAMESITE])"
    )
    for debug, secure in ((0, True), (1, False)):
        said = manage("shell", "--no-imports", "-c", show, variables=environment(tmp_path, DEBUG=debug)).stdout
        assert str([secure, secure, True, "Lax"]) in said
    assert django_settings.CSRF_COOKIE_SAMESITE == "Lax"


def test_who_does_not_ask_for_a_session_gets_no_cookie(cast: Cast) -> None:
    body = {"username": cast.alice.email, "password": PASSWORD, "remember_me": True}
    answer = APIClient().post("/api/auth/login", body, format="json")
    assert answer.status_code == 200 and not answer.cookies
    assert not api(cast.alice).get("/api/auth/user").cookies
    assert not Session.objects.exists()


def test_a_session_login_needs_the_csrf_token_of_a_page_of_ours(cast: Cast) -> None:
    # As another site's form would send it, to log its visitor in as somebody else.
    body = f'{{"username": "{cast.alice.email}", "password": "{PASSWORD}", "session": true}}'
    answer = APIClient(enforce_csrf_checks=True).post("/api/auth/login", body, content_type="text/plain")
    assert error(answer) == (403, 20) and "X-CSRFToken" in answer.json()["message"]
    assert "sessionid" not in answer.cookies


@pytest.mark.parametrize("sent", [None, "x" * 64])
def test_a_change_without_the_csrf_token_is_refused(browser: Browser, cast: Cast, sent: str | None) -> None:
    headers = {"X-CSRFToken": sent} if sent else {}
    answer = browser.client.post("/api/device", {"name": "Forged"}, format="json", headers=headers)
    assert error(answer) == (403, 20) and "CSRF" in answer.json()["message"]
    ours = browser.client.post("/api/v1/auth/logout", {}, format="json", headers=headers)
    assert (ours.status_code, ours.json()["status_code"]) == (403, 403)
    assert browser.post("/api/device", {"name": "Mine"}).status_code == 200
    assert browser.get("/api/auth/user").status_code == 200


def test_a_change_from_another_origin_is_refused_even_with_the_token(browser: Browser) -> None:
    answer = browser.client.post(
        "/api/device", {"name": "x"}, format="json",
        headers={"X-CSRFToken": browser.token, "Origin": "https://evil.example"},
    )  # fmt: skip
    assert error(answer) == (403, 20)


def test_a_multipart_body_is_no_way_around_nor_into_an_error(browser: Browser) -> None:
    assert error(browser.client.post("/api/device", {"name": "x"}, format="multipart")) == (403, 20)
    proof = {"X-CSRFToken": browser.token}
    assert error(browser.client.post("/api/device", {"a": "b"}, format="multipart", headers=proof)) == (400, 31)
    for body, kind in (("[1]", "application/x-www-form-urlencoded"), ("x", "multipart/form-data")):
        answer = browser.client.post("/api/device", body, content_type=kind, headers=proof)
        assert error(answer) == (400, 31)


def test_a_token_needs_no_csrf_and_comes_before_the_cookie(browser: Browser, cast: Cast) -> None:
    bearer = api(cast.gina)
    bearer.cookies = browser.client.cookies
    assert bearer.get("/api/auth/user").json()["email"] == cast.gina.email
    assert bearer.post("/api/device", {"name": "Hers"}, format="json").status_code == 200


def test_logging_out_ends_this_browsers_session_only(browser: Browser, cast: Cast) -> None:
    other = Browser()
    other.log_in(cast.alice.email)
    stolen = browser.client.cookies["sessionid"].value
    assert browser.post("/api/auth/logout").status_code == 200
    thief = APIClient()
    thief.cookies["sessionid"] = stolen
    assert error(thief.get("/api/auth/user")) == error(browser.get("/api/auth/user")) == (401, 10)
    assert other.get("/api/auth/user").status_code == 200


def test_a_new_password_keeps_this_browser_and_ends_the_others(browser: Browser, cast: Cast) -> None:
    other, token = Browser(), api(cast.alice)
    other.log_in(cast.alice.email)
    answer = browser.post("/api/auth/changePassword", {"currentPassword": PASSWORD, "newPassword": "another horse"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert browser.get("/api/auth/user").status_code == 200
    assert error(other.get("/api/auth/user")) == error(token.get("/api/auth/user")) == (401, 10)


def test_switching_a_user_off_ends_its_browsers_for_good(browser: Browser, cast: Cast) -> None:
    set_enabled(cast.alice, False)
    assert error(browser.get("/api/auth/user")) == (401, 10)
    set_enabled(cast.alice, True)
    assert error(browser.get("/api/auth/user")) == (401, 10)


def test_an_admins_session_opens_the_api_as_well(cast: Cast) -> None:
    admin = Client()
    page = admin.get("/admin/login/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    form = {"username": cast.sam.email, "password": PASSWORD, "csrfmiddlewaretoken": token[1], "next": "/admin/"}
    assert admin.post("/admin/login/", form).status_code == 302
    assert admin.get("/admin/").status_code == 200
    assert admin.get("/api/auth/user").json()["authority"] == "SYS_ADMIN"


@pytest.mark.parametrize("flag", ["session", "remember_me"])
def test_a_flag_that_is_none_is_refused(cast: Cast, flag: str) -> None:
    body = {"username": cast.alice.email, "password": PASSWORD, flag: "yes"}
    answer = APIClient().post("/api/auth/login", body, format="json")
    assert error(answer) == (400, 31) and answer.json()["message"] == f"{flag}: expected true or false"
