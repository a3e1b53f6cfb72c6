"""Who tries too many passwords waits; who owns the account does not."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from tenants.services import lockout
from tenants.services.attempts import BestCounters, Counters, LocalCounters, SharedCounters
from tenants.services.lockout import ACCOUNT_LOCKED, Attempt, network_of
from tenants.services.sign_in import sign_in
from tests.cast import PASSWORD, Cast, api, error
from tests.waiting import until
from thingsboard.kernel.errors import PlatformError, TooMany, Unauthenticated

HOME, AWAY = "192.0.2.1", "198.51.100.7"
LOCKED = "User account is locked due to security policy"


def log_in(email: str, password: str, address: str = AWAY, path: str = "/api/auth/login", **headers: str) -> Any:
    body = {"username": email, "password": password}
    return APIClient().post(path, body, format="json", REMOTE_ADDR=address, headers=headers)


@pytest.fixture
def three(settings: Any) -> None:
    """Three failures lock an account, five an address."""
    settings.TB_LOGIN_MAX_FAILURES = 3
    settings.TB_LOGIN_MAX_FAILURES_PER_ADDRESS = 5


def fail(email: str, times: int, address: str = AWAY) -> None:
    for _ in range(times):
        assert log_in(email, "wrong", address).json()["message"] == "Invalid username or password"


def test_an_account_is_locked_after_too_many_failures_even_for_the_right_password(cast: Cast, three: None) -> None:
    fail(cast.alice.email, 3)
    answer = log_in(cast.alice.email, PASSWORD)
    assert error(answer) == (401, 10) and answer.json()["message"] == LOCKED
    # From any other address that it does not know, too, and however the name is written.
    assert log_in(cast.alice.email, PASSWORD, "203.0.113.9").json()["message"] == LOCKED
    assert log_in("ALICE@acme.example", PASSWORD, "203.0.113.9").json()["message"] == LOCKED
    ours = log_in(cast.alice.email, PASSWORD, path="/api/v1/auth/login")
    assert (ours.status_code, ours.json()) == (401, {"detail": LOCKED, "status_code": 401})
    assert log_in(cast.gina.email, PASSWORD).status_code == 200


def test_a_lock_does_not_tell_who_exists(cast: Cast, three: None) -> None:
    fail("nobody@acme.example", 3)
    assert log_in("nobody@acme.example", "wrong").json()["message"] == LOCKED


def test_the_owner_is_not_locked_out_by_a_stranger_elsewhere(cast: Cast, three: None) -> None:
    assert log_in(cast.alice.email, PASSWORD, HOME).status_code == 200
    fail(cast.alice.email, 3)
    assert log_in(cast.alice.email, PASSWORD).json()["message"] == LOCKED
    assert log_in(cast.alice.email, PASSWORD, HOME).status_code == 200
    # A known address has a count of its own.
    fail(cast.alice.email, 3, HOME)
    assert log_in(cast.alice.email, PASSWORD, HOME).json()["message"] == LOCKED


def test_a_lock_ends_by_itself_and_the_next_is_twice_as_long(cast: Cast, three: None, settings: Any) -> None:
    settings.TB_LOGIN_LOCK_SECONDS = 0.3
    fail(cast.alice.email, 3)
    assert log_in(cast.alice.email, PASSWORD).json()["message"] == LOCKED
    until(lambda: log_in(cast.alice.email, PASSWORD).status_code == 200)

    moments = [0.0]
    store, seconds = LocalCounters(lambda: moments[0]), []
    settings.TB_LOGIN_LOCK_SECONDS = 900.0
    for _ in range(7):
        attempt = Attempt("x@example.com", AWAY, store)
        for _ in range(3):
            attempt.failed()
        seconds.append(store.remaining([f"lock:{attempt._account}"])[0])
        moments[0] += seconds[-1]
        attempt.require_open()
    assert seconds == [900, 1800, 3600, 7200, 14400, 14400, 14400]


def test_a_success_forgets_the_failures_before_it(cast: Cast, three: None) -> None:
    fail(cast.alice.email, 2)
    assert log_in(cast.alice.email, PASSWORD).status_code == 200
    fail(cast.alice.email, 2)
    assert log_in(cast.alice.email, PASSWORD).status_code == 200


def test_an_address_that_tries_many_accounts_is_locked(cast: Cast, three: None) -> None:
    for number in range(5):
        fail(f"user{number}@acme.example", 1)
    answer = log_in(cast.alice.email, PASSWORD)
    assert error(answer) == (429, 33) and "address" in answer.json()["message"]
    assert log_in(cast.alice.email, PASSWORD, HOME).status_code == 200


def test_an_own_account_does_not_clear_what_the_address_did_to_others(cast: Cast, three: None) -> None:
    for number in range(5):
        fail(f"user{number}@acme.example", 1)
        if number < 4:
            assert log_in(cast.gina.email, PASSWORD).status_code == 200
    assert error(log_in(cast.alice.email, PASSWORD)) == (429, 33)


def test_x_forwarded_for_of_a_stranger_is_not_believed(cast: Cast, three: None) -> None:
    for number in range(5):
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        assert log_in(f"user{number}@acme.example", "wrong", **headers).status_code == 401
    assert error(log_in(cast.alice.email, PASSWORD, **{"X-Forwarded-For": HOME})) == (429, 33)


def test_behind_a_trusted_proxy_each_client_counts_for_itself(cast: Cast, three: None, settings: Any) -> None:
    assert log_in(cast.alice.email, PASSWORD, "127.0.0.1", **{"X-Forwarded-For": HOME}).status_code == 200
    for number in range(5):
        # The client made the first address up; the proxy wrote the second.
        headers = {"X-Forwarded-For": f"{HOME}, {AWAY}"}
        assert log_in(f"user{number}@acme.example", "wrong", "127.0.0.1", **headers).status_code == 401
    assert error(log_in(cast.gina.email, PASSWORD, "127.0.0.1", **{"X-Forwarded-For": AWAY})) == (429, 33)
    assert log_in(cast.gina.email, PASSWORD, "127.0.0.1", **{"X-Forwarded-For": HOME}).status_code == 200


def test_the_admins_form_shares_the_lock_and_says_so(cast: Cast, three: None) -> None:
    admin = Client(REMOTE_ADDR=AWAY)
    for _ in range(3):
        page = admin.post("/admin/login/", {"username": cast.sam.email, "password": "wrong"})
        assert "Invalid username or password" in page.content.decode()
    assert LOCKED in admin.post("/admin/login/", {"username": cast.sam.email, "password": PASSWORD}).content.decode()
    assert log_in(cast.sam.email, PASSWORD).json()["message"] == LOCKED
    # From elsewhere it is as good as ever, through Django's own door as well.
    assert not Client(REMOTE_ADDR=AWAY).login(username=cast.sam.email, password=PASSWORD)
    assert Client().login(username=cast.gina.email, password=PASSWORD)


def test_a_stolen_token_is_no_way_to_try_passwords(cast: Cast, three: None) -> None:
    client = api(cast.alice)
    body = {"currentPassword": "wrong", "newPassword": "another horse"}
    for _ in range(3):
        answer = client.post("/api/auth/changePassword", body, format="json", REMOTE_ADDR=AWAY)
        assert answer.json()["message"] == "Current password doesn't match!"
    body["currentPassword"] = PASSWORD
    answer = client.post("/api/auth/changePassword", body, format="json", REMOTE_ADDR=AWAY)
    assert answer.json()["message"] == LOCKED


@pytest.mark.django_db(transaction=True)
def test_simultaneous_tries_do_not_get_past_the_limit(three: None, monkeypatch: pytest.MonkeyPatch) -> None:
    cast = Cast()
    tried, gate = [], threading.Barrier(20)
    real = Attempt.failed
    monkeypatch.setattr(lockout.Attempt, "failed", lambda self: (tried.append(1), real(self)))

    def guess(number: int) -> str:
        gate.wait()
        try:
            sign_in(cast.alice.email, f"guess {number}", AWAY)
        except PlatformError as refused:
            return refused.message
        finally:
            connection.close()
        raise AssertionError

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(guess, range(20)))
    # As many as hash at once may be under way when the last allowed one fails.
    assert 3 <= len(tried) <= 3 + 4 - 1
    assert answers.count(ACCOUNT_LOCKED) == 20 - len(tried)


@pytest.mark.parametrize("kind", ["shared", "local", "valkey is away"])
def test_all_counters_count_alike(kind: str, settings: Any, three: None, db: None) -> None:
    away = SharedCounters("redis://127.0.0.1:1/0")
    stores: dict[str, Counters] = {
        "shared": SharedCounters(settings.REDIS_URL),
        "local": LocalCounters(),
        "valkey is away": BestCounters(away, LocalCounters()),
    }
    store = stores[kind]
    for _ in range(3):
        attempt = Attempt("x@example.com", AWAY, store)
        attempt.require_open()
        attempt.failed()
    with pytest.raises(Unauthenticated, match="locked"):
        Attempt("x@example.com", AWAY, store).require_open()
    for number in range(2):
        Attempt(f"{number}@example.com", AWAY, store).failed()
    with pytest.raises(TooMany):
        Attempt("y@example.com", AWAY, store).require_open()
    Attempt("y@example.com", HOME, store).require_open()
    owner = Attempt("y@example.com", AWAY, store)
    owner.succeeded()
    owner.require_open()


def test_what_one_process_counts_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenants.services.attempts.MAX_LOCAL_KEYS", 2)
    store = LocalCounters()
    assert [store.add(key, 60) for key in ("a", "a", "b", "c", "a")] == [1, 2, 1, 1, 1]


def test_an_ipv6_client_is_its_network() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert network_of("2001:db8:0:1::1") != network_of("2001:db8::1")
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1") == "192.0.2.1"
    assert network_of("") == "unknown"
