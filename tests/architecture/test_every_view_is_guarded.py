"""No route of the URLconf answers a stranger, except those that are listed here with their reason."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve

KEY = "5c9a153a-e51f-11f1-88cb-5d1941fd97de"

# Path -> what a stranger is answered there.
OPEN = {
    "api/auth/login": "the way in: 401 without a name and a password",
    "api/auth/token": "the way in with a refresh token: 401 without one",
    "api/v1/schema": "the description of our API, the same for everybody",
    "swagger-ui": "shows it",
    "redoc": "shows it",
    "favicon.ico": "leads to the picture beside the page's name",
    "api/auth/token/refresh": "the same",
    "api/auth/csrf": "what a browser needs to log in: a random token of its own",
    "api/v1/auth/login": "the way in",
    "api/v1/auth/token/refresh": "the way in with a refresh token",
    "api/v1/auth/csrf": "what a browser needs to log in",
    "api/noauth/activate": "the way in with an activation link: 400 or 409 without one",
    "api/noauth/userPasswordPolicy": "whoever activates an account must know it",
    f"setup/{KEY}": "the way in with the set-up link: 404 without one",
    f"api/{KEY}": "no route at all: 404 for everybody",
    "auth/login": "the page of the way in",
    "login/createPassword": "the page of an activation link: 404 without one",
    "activationLinkExpired": "says so",
}
# Pages, which lead a stranger to the login.
PAGES = [
    "",
    "devices",
    f"devices/{KEY}",
    "dashboards",
    "dashboards/new",
    f"dashboards/{KEY}",
    f"dashboards/{KEY}/edit",
]


def routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    """Every route as a path with its parameters filled in; the admin has a guard of its own, see below."""
    for entry in resolver.url_patterns:
        path = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            if entry.app_name != "admin":
                yield from routes(entry, path)
        elif isinstance(entry, URLPattern):
            yield re.sub(r"<[^>]+>", KEY, path)


ROUTES = sorted(set(routes(get_resolver())))


def test_the_walk_finds_the_routes() -> None:
    assert {f"api/device/{KEY}", f"api/plugins/telemetry/{KEY}/{KEY}/values/timeseries"} <= set(ROUTES)
    assert {*OPEN, *PAGES} <= set(ROUTES)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", [path for path in ROUTES if path not in {*OPEN, *PAGES}])
def test_a_stranger_is_answered_401(path: str, method: str) -> None:
    answer = Client().generic(method, f"/{path}", b"{}", content_type="application/json")
    body = answer.json()
    shared = hasattr(resolve(f"/{path}").func, "families")  # kernel/shared_paths.py
    ours = shared or path.startswith(("api/v1/", "api/telemetry/"))
    assert (answer.status_code, body["status_code" if ours else "errorCode"]) == (401, 401 if ours else 10)


STATUSES = {
    "auth/login": 405,
    "login/createPassword": 405,
    "activationLinkExpired": 405,
    "swagger-ui": 405,
    "redoc": 405,
    "favicon.ico": 405,
    "api/v1/schema": 405,
    f"api/{KEY}": 404,
    "api/auth/csrf": 405,
    "api/noauth/activate": 400,
    "api/noauth/userPasswordPolicy": 405,
    "api/v1/auth/csrf": 405,
    f"setup/{KEY}": 404,
}


@pytest.mark.parametrize(("path", "status"), [(path, STATUSES.get(path, 401)) for path in OPEN])
def test_an_open_route_tells_a_stranger_nothing(path: str, status: int, db: None) -> None:
    assert Client().post(f"/{path}", {}, content_type="application/json").status_code == status


@pytest.mark.parametrize("path", PAGES)
def test_a_page_sends_a_stranger_to_the_login(path: str, db: None) -> None:
    answer = Client().get(f"/{path}")
    assert (answer.status_code, answer["Location"].split("?")[0], answer.content) == (302, "/auth/login", b"")


@pytest.mark.parametrize("path", ["", "tenants/user/", "devices/device/", "jsi18n/", "no/such/page/"])
def test_the_admin_sends_a_stranger_to_its_login(path: str, db: None) -> None:
    answer = Client().get(f"/admin/{path}")
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/admin/login/")
