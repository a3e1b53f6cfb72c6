"""The first system administrator: by the page of the set-up link, or by `manage.py create_sysadmin`."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from tenants.models import Authority, SystemSetting, User
from tenants.services.setup import new_setup_token, set_up
from tests.tenants.clock import clock
from thingsboard.kernel.errors import NotFound
from thingsboard.management.commands.prepare import Command as Prepare

__all__ = ["clock"]

STRONG = "nine lives of a cat"


@pytest.fixture
def token(db: None, settings: Any) -> str:
    settings.DEBUG = False
    fresh = new_setup_token()
    assert fresh
    return fresh


def form(**changes: str) -> dict[str, str]:
    return {"email": "root@example.org", "password": STRONG, "again": STRONG, **changes}


def send(token: str, **changes: str) -> Any:
    client = Client(enforce_csrf_checks=True)
    page = client.get(f"/setup/{token}").content.decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    return client.post(f"/setup/{token}", form(**changes) | {"csrfmiddlewaretoken": found[1] if found else ""})


def test_the_link_creates_an_administrator_once(token: str) -> None:
    page = Client().get(f"/setup/{token}")
    assert page.status_code == 200
    assert "default-src 'none'" in page["Content-Security-Policy"] and "no-store" in page["Cache-Control"]
    done = send(token)
    assert (done.status_code, done["Location"]) == (302, "/admin/login/")
    user = User.objects.get()
    assert (user.email, user.authority, user.is_superuser) == ("root@example.org", Authority.SYS_ADMIN, True)
    body = {"username": user.email, "password": STRONG}
    assert APIClient().post("/api/auth/login", body, format="json").status_code == 200
    assert Client().login(username=user.email, password=STRONG)
    # And never again, nor does a start make a new one.
    assert Client().get(f"/setup/{token}").status_code == 404
    assert Client().post(f"/setup/{token}", form(email="second@example.org")).status_code == 404
    assert new_setup_token() is None
    assert User.objects.count() == 1


def test_a_used_link_stays_dead_when_its_administrator_is_gone(token: str) -> None:
    assert send(token).status_code == 302
    User.objects.all().delete()
    assert Client().get(f"/setup/{token}").status_code == 404


def test_the_form_needs_its_csrf_token(token: str) -> None:
    assert Client(enforce_csrf_checks=True).post(f"/setup/{token}", form()).status_code == 403
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"password": "sysadmin", "again": "sysadmin"}, "published demo password"),
        ({"password": "short", "again": "short"}, "6 or more characters"),
        ({"password": "tooshort1", "again": "tooshort1"}, "at least 10 characters"),
        ({"password": "1234567890", "again": "1234567890"}, "too common"),
        ({"password": "root@example.org", "again": "root@example.org"}, "too similar"),
        ({"again": "something else"}, "The two passwords differ."),
        ({"email": "nobody"}, "valid email address"),
    ],
)
def test_a_weak_password_is_refused_and_the_link_stays_good(token: str, changes: dict[str, str], sentence: str) -> None:
    refused = send(token, **changes)
    assert refused.status_code == 400 and sentence in refused.content.decode()
    assert changes.get("password", STRONG) not in refused.content.decode().replace(
        changes.get("email", "root@example.org"), ""
    )
    assert send(token).status_code == 302


def test_a_link_expires_after_a_day(token: str, clock: Any) -> None:
    clock(86_390)
    assert Client().get(f"/setup/{token}").status_code == 200
    clock(86_410)
    assert Client().get(f"/setup/{token}").status_code == 404
    assert Client().post(f"/setup/{token}", form()).status_code == 404
    assert not User.objects.exists()


def test_the_next_start_makes_the_link_before_void(token: str) -> None:
    second = new_setup_token()
    assert second and second != token
    assert Client().get(f"/setup/{token}").status_code == 404
    assert send(second).status_code == 302


@pytest.mark.parametrize("wrong", ["x", "é", "x" * 5000])
def test_an_unknown_token_is_not_found(token: str, wrong: str) -> None:
    assert Client().get(f"/setup/{wrong}").status_code == 404


def test_no_link_is_good_where_none_was_made(db: None) -> None:
    assert Client().get("/setup/anything").status_code == 404


def test_only_a_hash_of_the_token_is_kept(token: str) -> None:
    assert token not in str(SystemSetting.objects.get(key="setup").value)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_use_the_link_at_once_one_wins() -> None:
    token = new_setup_token() or ""
    gate = threading.Barrier(4)

    def use(number: int) -> bool:
        gate.wait()
        try:
            set_up(token, f"root{number}@example.org", STRONG)
        except NotFound:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(4))) == [False, False, False, True]
    assert User.objects.count() == 1


def test_preparing_production_prints_the_link_until_there_is_an_administrator(db: None, settings: Any) -> None:
    settings.DEBUG = False
    settings.TB_BASE_URL = "https://iot.example.org"

    def prepared() -> str:
        out = StringIO()
        call_command(Prepare(stdout=out))
        return out.getvalue()

    (link,) = re.findall(r"https://iot\.example\.org(/setup/\S+)", prepared())
    assert Client().get(link).status_code == 200
    settings.TB_BASE_URL = ""
    assert f"http://127.0.0.1:{settings.TB_HTTP_PORT}/setup/" in prepared()
    User.objects.create_superuser("root@example.org", STRONG)
    assert prepared() == ""


def create(monkeypatch: pytest.MonkeyPatch, typed: str, *arguments: str) -> str:
    monkeypatch.setattr("sys.stdin", StringIO(typed))
    out = StringIO()
    call_command("create_sysadmin", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_reads_the_password_from_standard_input(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    said = create(monkeypatch, f"{STRONG}\n", "root@example.org", "--password-stdin")
    user = User.objects.get()
    assert user.check_password(STRONG) and user.authority == Authority.SYS_ADMIN
    assert "root@example.org" in said and STRONG not in said


def test_the_command_reads_the_password_from_the_environment(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TB_SYSADMIN_PASSWORD", STRONG)
    create(monkeypatch, "", "root@example.org")
    assert User.objects.get().check_password(STRONG)


@pytest.mark.parametrize("password", ["sysadmin", "tenant", "password123", "12345678901", ""])
def test_the_command_refuses_a_weak_password_in_production(
    db: None, monkeypatch: pytest.MonkeyPatch, settings: Any, password: str
) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError):
        create(monkeypatch, f"{password}\n", "root@example.org", "--password-stdin")
    assert not User.objects.exists()


def test_the_command_says_what_is_wrong(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TB_SYSADMIN_PASSWORD", raising=False)
    with pytest.raises(CommandError, match="No terminal"):
        create(monkeypatch, "", "root@example.org")
    with pytest.raises(CommandError, match="Invalid email"):
        create(monkeypatch, f"{STRONG}\n", "nobody", "--password-stdin")
    create(monkeypatch, f"{STRONG}\n", "root@example.org", "--password-stdin")
    with pytest.raises(CommandError, match="already present"):
        create(monkeypatch, f"{STRONG}\n", "root@example.org", "--password-stdin")
