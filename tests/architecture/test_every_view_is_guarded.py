"""No route of the URLconf answers a stranger, except those that are listed here with their reason."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

KEY = "5c9a153a-e51f-11f1-88cb-5d1941fd97de"

# Path -> what a stranger is answered there.
OPEN = {
    "": "leads to the admin, which has a guard of its own",
    "api/auth/login": "the way in: 401 without a name and a password",
    "api/auth/token": "the way in with a refresh token: 401 without one",
    "api/v1/schema": "the description of our API, the same for everybody",
    "swagger-ui": "shows it",
    "redoc": "shows it",
    f"api/{KEY}": "no route at all: 404 for everybody",
}


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
    assert set(OPEN) <= set(ROUTES)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", [path for path in ROUTES if path not in OPEN])
def test_a_stranger_is_answered_401(path: str, method: str) -> None:
    answer = Client().generic(method, f"/{path}", b"{}", content_type="application/json")
    ours = path.startswith("api/v1/") or path.replace("api/", "api/v1/", 1) in ROUTES  # kernel/shared_paths.py
    code = {"status_code": 401} if ours else {"errorCode": 10}
    assert (answer.status_code, answer.json()) == (401, answer.json() | code)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("swagger-ui", 405),
        ("redoc", 405),
        ("api/v1/schema", 405),
        ("", 302),
        ("api/auth/login", 401),
        ("api/auth/token", 401),
        (f"api/{KEY}", 404),
    ],
)
def test_an_open_route_tells_a_stranger_nothing(path: str, status: int) -> None:
    assert Client().post(f"/{path}", {}, content_type="application/json").status_code == status


@pytest.mark.parametrize("path", ["", "tenants/user/", "devices/device/", "jsi18n/", "no/such/page/"])
def test_the_admin_sends_a_stranger_to_its_login(path: str, db: None) -> None:
    answer = Client().get(f"/admin/{path}")
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/admin/login/")
