"""From an account without a password to one that can log in, once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from rest_framework.test import APIClient

from tenants.models import ActivationToken, Authority, User
from tenants.services.activation import activate, activation_link
from tenants.services.users import create_user
from tests.cast import Cast, api, error
from tests.tenants.clock import clock
from thingsboard.kernel.errors import BadRequest

__all__ = ["clock"]


@pytest.fixture
def newcomer(cast: Cast) -> User:
    return create_user("new@acme.example", Authority.TENANT_ADMIN, tenant=cast.acme)


def token_of(link: str) -> str:
    return parse_qs(urlsplit(link).query)["activateToken"][0]


def link_of(cast: Cast, user: User) -> str:
    answer = api(cast.alice).get(f"/api/user/{user.pk}/activationLink", headers={"Accept": "text/plain"})
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/plain")
    return str(answer.content.decode())


def choose(token: str, password: str, query: str = "") -> Any:
    body = {"activateToken": token, "password": password}
    return APIClient().post(f"/api/noauth/activate{query}", body, format="json")


def test_the_link_leads_to_the_page_and_the_password_logs_in_once(cast: Cast, newcomer: User) -> None:
    link = link_of(cast, newcomer)
    assert link.startswith("http://testserver/api/noauth/activate?activateToken=") and len(token_of(link)) == 30
    opened = APIClient().get(link)
    assert (opened.status_code, opened["Location"]) == (
        303,
        f"/login/createPassword?activateToken={token_of(link)}",
    )
    answer = choose(token_of(link), "first horse", "?sendActivationMail=False")
    assert answer.status_code == 200 and set(answer.json()) == {"token", "refreshToken"}
    client = APIClient()
    client.credentials(HTTP_X_AUTHORIZATION=f"Bearer {answer.json()['token']}")
    assert client.get("/api/auth/user").json()["additionalInfo"]["userActivated"] is True
    again = choose(token_of(link), "second horse")
    assert error(again) == (400, 31)
    assert APIClient().get(link).status_code == 409
    late = api(cast.alice).get(f"/api/user/{newcomer.pk}/activationLink")
    assert error(late) == (400, 31) and late.json()["message"] == "User is already activated!"


def test_the_link_is_the_same_until_it_is_about_to_expire(cast: Cast, newcomer: User, clock: Any) -> None:
    path = f"/api/user/{newcomer.pk}/activationLinkInfo"
    info = api(cast.alice).get(path).json()
    assert info["value"] == link_of(cast, newcomer) and 86_300_000 < info["ttlMs"] <= 86_400_000
    clock(86_400 - 16 * 60)
    assert api(cast.alice).get(path).json()["value"] == info["value"]
    clock(86_400 - 14 * 60)
    renewed = api(cast.alice).get(path).json()
    assert renewed["value"] != info["value"] and renewed["ttlMs"] > 86_000_000
    assert APIClient().get(info["value"]).status_code == 409


def test_an_expired_link_says_so(cast: Cast, newcomer: User, clock: Any) -> None:
    link = link_of(cast, newcomer)
    clock(86_401)
    assert APIClient().get(link)["Location"] == "/activationLinkExpired"
    answer = choose(token_of(link), "first horse")
    assert error(answer) == (400, 31) and answer.json()["message"] == "Activation token expired!"


def test_a_password_against_the_policy_leaves_the_link_good(cast: Cast, newcomer: User) -> None:
    token = token_of(link_of(cast, newcomer))
    assert error(choose(token, "short")) == (400, 31)
    assert choose(token, "long enough").status_code == 200


@pytest.mark.parametrize("token", ["", "x", "x" * 30, "\0" * 30, "é" * 30, "x" * 5000])
def test_an_unknown_token_is_refused(db: None, token: str) -> None:
    assert APIClient().get("/api/noauth/activate", {"activateToken": token}).status_code == 409
    assert error(choose(token, "long enough")) == (400, 31)


def test_only_who_administers_the_user_gets_the_link(cast: Cast, newcomer: User) -> None:
    for path in (f"/api/user/{newcomer.pk}/activationLink", f"/api/user/{newcomer.pk}/activationLinkInfo"):
        assert error(api(cast.gina).get(path)) == (404, 32)
        assert error(api(cast.bob).get(path)) == (403, 20)
        assert api(cast.sam).get(path).status_code == 200
    assert error(api(cast.alice).get("/api/user/x/activationLink")) == (400, 31)


def test_the_link_names_the_address_under_which_we_are_reached(cast: Cast, newcomer: User, settings: Any) -> None:
    path = f"/api/user/{newcomer.pk}/activationLink"
    behind = {"X-Forwarded-Proto": "https"}
    assert api(cast.alice).get(path, headers=behind).content.startswith(b"https://testserver/")
    stranger = api(cast.alice).get(path, headers=behind, REMOTE_ADDR="192.0.2.1")
    assert stranger.content.startswith(b"http://testserver/")
    settings.TB_BASE_URL = "https://iot.example.org"
    assert api(cast.alice).get(path).content.startswith(b"https://iot.example.org/api/noauth/")


def test_the_database_does_not_hold_the_token(cast: Cast, newcomer: User) -> None:
    token = token_of(link_of(cast, newcomer)).encode()
    row = ActivationToken.objects.get()
    assert token not in bytes(row.secret) and token not in bytes(row.lookup)


def test_the_policy_is_thingsboards(db: None, settings: Any) -> None:
    policy = APIClient().get("/api/noauth/userPasswordPolicy").json()
    assert (policy["minimumLength"], policy["maximumLength"], policy["allowWhitespaces"]) == (6, 72, True)
    settings.TB_PASSWORD_MIN_LENGTH = 12
    assert APIClient().get("/api/noauth/userPasswordPolicy").json()["minimumLength"] == 12


@pytest.mark.django_db(transaction=True)
def test_of_two_who_use_a_link_at_once_one_wins() -> None:
    cast = Cast()
    user = create_user("new@acme.example", Authority.TENANT_ADMIN, tenant=cast.acme)
    token = activation_link(user, shown_to=cast.alice).token
    gate = threading.Barrier(4)

    def use(number: int) -> bool:
        gate.wait()
        try:
            activate(token, f"horse number {number}")
        except BadRequest:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(4))) == [False, False, False, True]
