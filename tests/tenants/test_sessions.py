"""What ends a session ends it for every token, in every process, and nothing else."""

import asyncio
import contextlib
import uuid
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from tenants.auth.jwt import Pair, issue_pair, verified
from tenants.models import EndedSession, User
from tenants.services import session_cache
from tenants.services.session_cache import SessionCache
from tenants.services.sessions import end_session, forget_expired, set_enabled
from tenants.services.users import set_password
from tests.cast import PASSWORD, Cast, api, error
from tests.tenants.clock import clock
from tests.waiting import until

__all__ = ["clock"]


def bearer(pair: Pair) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_X_AUTHORIZATION=f"Bearer {pair.token}")
    return client


def refreshed(pair: Pair) -> Any:
    return APIClient().post("/api/auth/token", {"refreshToken": pair.refresh_token}, format="json")


def ids(pair: Pair) -> tuple[uuid.UUID, uuid.UUID]:
    claims = verified(pair.token)
    return uuid.UUID(claims["userId"]), uuid.UUID(claims["sessionId"])


def test_logging_out_ends_this_sessions_tokens_and_no_other_sessions(cast: Cast) -> None:
    phone, laptop = issue_pair(cast.alice), issue_pair(cast.alice)
    again = refreshed(phone).json()
    assert bearer(phone).get("/api/auth/user").status_code == 200
    answer = bearer(phone).post("/api/auth/logout", {}, format="json")
    assert (answer.status_code, answer.content) == (200, b"")
    refused = bearer(phone).get("/api/auth/user")
    assert error(refused) == (401, 10) and refused.json()["message"] == "Token is outdated"
    assert error(refreshed(phone)) == (401, 10)
    # Tokens that the session got by a refresh are its own, too.
    for pair in (Pair(again["token"], again["refreshToken"]),):
        assert error(bearer(pair).get("/api/auth/user")) == error(refreshed(pair)) == (401, 10)
    assert bearer(laptop).get("/api/auth/user").status_code == refreshed(laptop).status_code == 200


def test_a_new_password_ends_every_session_but_the_one_that_it_begins(cast: Cast) -> None:
    others = [issue_pair(cast.alice), issue_pair(cast.alice)]
    asked = {"currentPassword": PASSWORD, "newPassword": "another horse"}
    answer = bearer(others[0]).post("/api/auth/changePassword", asked, format="json")
    assert answer.status_code == 200 and set(answer.json()) == {"token", "refreshToken"}
    for pair in others:
        assert error(bearer(pair).get("/api/auth/user")) == error(refreshed(pair)) == (401, 10)
    fresh = Pair(answer.json()["token"], answer.json()["refreshToken"])
    assert bearer(fresh).get("/api/auth/user").status_code == refreshed(fresh).status_code == 200


def test_two_changes_in_the_same_second_leave_no_token_of_the_first_alive(cast: Cast) -> None:
    set_password(cast.alice, "second horse")
    between = issue_pair(cast.alice)
    set_password(cast.alice, "third horse")
    assert error(bearer(between).get("/api/auth/user")) == (401, 10)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"currentPassword": "wrong", "newPassword": "another horse"}, "Current password doesn't match!"),
        ({"currentPassword": PASSWORD, "newPassword": PASSWORD}, "New password should be different from existing!"),
        ({"currentPassword": PASSWORD, "newPassword": "short"}, "Password must be 6 or more characters in length."),
        (
            {"currentPassword": PASSWORD, "newPassword": "x" * 73},
            "Password must be no more than 72 characters in length.",
        ),
        ({"newPassword": "another horse"}, "currentPassword and newPassword: expected two texts."),
    ],
)
def test_a_change_that_is_refused_says_why_and_ends_nothing(cast: Cast, body: dict[str, str], sentence: str) -> None:
    client = api(cast.alice)
    answer = client.post("/api/auth/changePassword", body, format="json")
    assert error(answer) == (400, 31) and answer.json()["message"] == sentence
    assert client.get("/api/auth/user").status_code == 200


def test_switching_a_user_off_ends_its_sessions_for_good(cast: Cast) -> None:
    pair = issue_pair(cast.alice)
    assert bearer(pair).get("/api/auth/user").status_code == 200
    set_enabled(cast.alice, False)
    assert bearer(pair).get("/api/auth/user").json()["message"] == "User account is not active"
    assert error(refreshed(pair)) == (401, 10)
    set_enabled(cast.alice, True)
    assert bearer(pair).get("/api/auth/user").json()["message"] == "Token is outdated"


def test_the_admin_switches_users_off_just_so(cast: Cast) -> None:
    pair = issue_pair(cast.alice)
    admin = Client()
    admin.force_login(cast.sam)
    form = {"email": cast.alice.email, "first_name": "", "last_name": "", "phone": ""}
    assert admin.post(f"/admin/tenants/user/{cast.alice.pk}/change/", form).status_code == 302
    cast.alice.refresh_from_db()
    assert (cast.alice.is_active, cast.alice.session_generation) == (False, 1)
    assert error(bearer(pair).get("/api/auth/user")) == (401, 10)


def test_a_deleted_user_is_nobody(cast: Cast) -> None:
    client = api(cast.bob)
    assert client.get("/api/auth/user").status_code == 200
    cast.bob.delete()
    assert error(client.get("/api/auth/user")) == (401, 10)


@pytest.mark.django_db(transaction=True)  # within a transaction the signing key is asked for every time
def test_a_busy_session_costs_no_query_per_request(
    django_assert_num_queries: DjangoAssertNumQueries, settings: Any
) -> None:
    settings.TB_SESSION_CACHE_SECONDS = 60
    client = api(Cast().alice)
    with django_assert_num_queries(1):
        assert client.get("/api/auth/user").status_code == 200
    with django_assert_num_queries(0):
        assert client.get("/api/auth/user").status_code == 200
    settings.TB_SESSION_CACHE_SECONDS = 0
    with django_assert_num_queries(1):
        assert client.get("/api/auth/user").status_code == 200


def test_what_one_request_does_to_its_user_the_next_does_not_see(cast: Cast) -> None:
    cache, (user_id, session) = SessionCache(), ids(issue_pair(cast.alice))
    first = cache.ask(user_id, session).user
    assert first is not None
    first.first_name = "changed, not saved"
    second = cache.ask(user_id, session).user
    assert second is not None and second.first_name == ""


def test_the_cache_is_bounded(cast: Cast, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    cache = SessionCache(size=2)
    sessions = [uuid.uuid4() for _ in range(3)]
    for session in sessions:
        cache.ask(cast.alice.pk, session)
    with django_assert_num_queries(1):  # the first had to go
        for session in reversed(sessions):
            cache.ask(cast.alice.pk, session)


@contextlib.asynccontextmanager
async def process(cache: SessionCache) -> Any:
    """A process that hears the bus with this cache."""
    task = asyncio.create_task(cache.listen())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.django_db(transaction=True)
async def test_the_bus_tells_other_processes_at_once() -> None:
    cast = await sync_to_async(Cast)()
    # An hour: what is seen here within the deadline came over the bus.
    one, other = SessionCache(max_age=3600), SessionCache(max_age=3600)
    user_id, session = ids(await sync_to_async(issue_pair)(cast.alice))

    async def generation(cache: SessionCache) -> int:
        user = (await sync_to_async(cache.ask)(user_id, session)).user
        assert user is not None
        return user.session_generation

    async def eventually(holds: Any) -> None:
        async with asyncio.timeout(10):
            while not await holds():
                await asyncio.sleep(0.01)

    # Known before anybody listens, so that a newer generation can only have come over the bus.
    assert (await generation(one), await generation(other)) == (0, 0)
    async with process(one), process(other):

        async def heard() -> bool:
            # Whoever subscribes late misses what was said before, so it is said until both have heard it.
            await sync_to_async(set_password)(cast.alice, "another horse")
            return min(await generation(one), await generation(other)) > 0

        await eventually(heard)

        async def both_know_of_the_logout() -> bool:
            states = [await sync_to_async(cache.ask)(user_id, session) for cache in (one, other)]
            return all(state.ended for state in states)

        await sync_to_async(end_session)(cast.alice, session)
        await eventually(both_know_of_the_logout)


@pytest.mark.django_db(transaction=True)
def test_a_process_that_hears_nothing_believes_for_a_second_at_most(settings: Any) -> None:
    cast = Cast()
    settings.TB_SESSION_CACHE_SECONDS = 0.2  # one second in earnest, and the setting allows no more
    deaf = SessionCache()
    user_id, session = ids(issue_pair(cast.alice))
    assert not deaf.ask(user_id, session).ended
    end_session(cast.alice, session)
    until(lambda: deaf.ask(user_id, session).ended, 5)
    set_enabled(cast.alice, False)
    until(lambda: (user := deaf.ask(user_id, session).user) is not None and not user.is_active, 5)


def test_after_a_silence_of_the_bus_nothing_is_believed(cast: Cast) -> None:
    cache, (user_id, session) = SessionCache(max_age=3600), ids(issue_pair(cast.alice))
    cache.ask(user_id, session)
    User.objects.filter(pk=user_id).update(session_generation=7)
    cache.clear()  # what Subscriber calls when it is back
    user = cache.ask(user_id, session).user
    assert user is not None and user.session_generation == 7


def test_a_logout_is_remembered_until_its_last_token_is_too_old(cast: Cast, clock: Any) -> None:
    _, session = ids(issue_pair(cast.alice))
    end_session(cast.alice, session)
    clock(30 * 86400 - 60)
    assert forget_expired() == 0 and EndedSession.objects.filter(pk=session).exists()
    clock(30 * 86400 + 60)
    assert forget_expired() == 1


def test_whoever_saves_a_user_is_announced(cast: Cast) -> None:
    _, session = ids(issue_pair(cast.alice))
    session_cache.cache.ask(cast.alice.pk, session)
    cast.alice.first_name = "Alice"
    cast.alice.save()
    user = session_cache.cache.ask(cast.alice.pk, session).user
    assert user is not None and user.first_name == "Alice"
