"""The pages before the login: who is led where, and what a page lets nobody do."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from dashboards.pages import assets
from tenants.models import Authority, User
from tenants.services.activation import activate, activation_link
from tenants.services.users import create_user
from tests.cast import Cast
from tests.tenants.clock import clock

__all__ = ["clock"]

NOT_OURS = [
    "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "http:evil.example",
    "javascript:alert(1)", "/\t/evil.example", " //evil.example", "evil.example", "", "/x" * 2000,
]  # fmt: skip


def browser(user: User | None = None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user, backend="tenants.auth.backend.GuardedBackend")
    return client


@pytest.mark.parametrize("path", ["/", "/devices", "/devices/5c9a153a-e51f-11f1-88cb-5d1941fd97de?window=60000"])
def test_a_stranger_is_led_to_the_login_and_back(path: str, db: None) -> None:
    answer = browser().get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/auth/login?next={quote(path, safe='')}")
    assert f'data-next="{path}"' in browser().get(answer["Location"]).content.decode()


@pytest.mark.parametrize("following", NOT_OURS)
def test_the_login_leads_nowhere_else(following: str, cast: Cast) -> None:
    page = browser().get("/auth/login", {"next": following})
    assert re.search(r'data-next="([^"]*)"', page.content.decode())[1] == "/"  # type: ignore[index]
    assert browser(cast.alice).get("/auth/login", {"next": following})["Location"] == "/"


def test_a_path_of_ours_is_followed(cast: Cast) -> None:
    assert browser(cast.alice).get("/auth/login", {"next": "/devices?page=2"})["Location"] == "/devices?page=2"


def test_the_front_door_leads_everybody_to_their_work(cast: Cast) -> None:
    homes = {user.email: browser(user).get("/")["Location"] for user in (cast.sam, cast.alice, cast.bob)}
    assert homes == {cast.sam.email: "/admin/", cast.alice.email: "/devices", cast.bob.email: "/devices"}
    assert browser(cast.sam).get("/devices")["Location"] == "/"


def test_a_session_that_has_ended_opens_no_page(cast: Cast) -> None:
    client = browser(cast.alice)
    assert client.get("/devices").status_code == 200
    cast.alice.is_active = False
    cast.alice.save()
    assert client.get("/devices").status_code == 302


@pytest.mark.parametrize("path", ["/auth/login", "/activationLinkExpired", "/login/createPassword", "/devices"])
def test_a_page_runs_nothing_but_its_own_files(path: str, cast: Cast) -> None:
    answer = browser(cast.alice if path == "/devices" else None).get(path)
    policy = dict(each.split(" ", 1) for each in answer["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'none'" and policy["frame-ancestors"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "connect-src", "form-action")} == {"'self'"}
    assert "unsafe" not in answer["Content-Security-Policy"] and "http" not in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff" and answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin" and answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]
    assert not inline_code(answer.content.decode())


def inline_code(page: str) -> list[str]:
    """Whatever in a page would need a hole in its policy."""
    scripts = re.findall(r"<script(?![^>]*\b(?:src=|type=\"application/json\"))[^>]*>", page)
    return scripts + re.findall(r"<style|\sstyle=|\son\w+=|javascript:", page)


@pytest.mark.parametrize("path", ["/auth/login", "/devices", "/"])
def test_pages_are_only_read(path: str, cast: Cast) -> None:
    assert browser(cast.alice).post(path, {"email": "x"}).status_code == 405


def test_pages_say_so_where_the_front_end_is_not_built(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "BUILT", tmp_path)
    monkeypatch.setattr(assets, "_manifest", assets._manifest.__wrapped__)
    answer = browser().get("/auth/login")
    assert answer.status_code == 503 and "make frontend" in answer.content.decode()


@pytest.fixture
def newcomer(cast: Cast) -> User:
    return create_user("new@acme.example", Authority.TENANT_ADMIN, tenant=cast.acme)


def choose(token: str) -> Any:
    return browser().get("/login/createPassword", {"activateToken": token})


def test_an_activation_link_ends_on_the_page_that_asks_for_a_password(cast: Cast, newcomer: User) -> None:
    token, _ = activation_link(newcomer, shown_to=cast.alice)
    led = browser().get("/api/noauth/activate", {"activateToken": token})
    page = browser().get(led["Location"])
    assert page.status_code == 200 and f'data-token="{token}"' in page.content.decode()
    assert 'minlength="6"' in page.content.decode()


def test_a_link_that_is_used_unknown_or_expired_is_not_good_any_more(cast: Cast, newcomer: User, clock: Any) -> None:
    token, _ = activation_link(newcomer, shown_to=cast.alice)
    for wrong in ("", "x", "x" * 30, "\0" * 30, "é" * 30):
        assert choose(wrong).status_code == 404
    clock(86_401)
    late = choose(token)
    assert late.status_code == 404 and "Its time is over." in late.content.decode()
    led = browser().get("/api/noauth/activate", {"activateToken": token})
    assert browser().get(led["Location"]).status_code == 404
    clock(0)
    activate(token, "first horse")
    used = choose(token)
    assert used.status_code == 404 and "It has been used" in used.content.decode()
