"""Two web processes behind a load balancer: what one ends is over in the other."""

import asyncio

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.hashers import BCryptSHA256PasswordHasher, make_password

from tests.cast import PASSWORD, Cast
from tests.transports.http.test_daphne import web

DEADLINE = 10.0


async def log_in(client: httpx.AsyncClient, email: str, password: str = PASSWORD) -> dict[str, str]:
    answer = await client.post("/api/auth/login", json={"username": email, "password": password})
    assert answer.status_code == 200, answer.text
    return {"X-Authorization": f"Bearer {answer.json()['token']}"}


async def over(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """Return once the token is refused; fail when it never is."""
    async with asyncio.timeout(DEADLINE):
        while (answer := await client.get("/api/auth/user", headers=headers)).status_code == 200:
            await asyncio.sleep(0.02)
    assert (answer.status_code, answer.json()["errorCode"]) == (401, 10)


@pytest.mark.django_db(transaction=True)
async def test_a_logout_and_a_new_password_reach_the_other_process() -> None:
    cast = await sync_to_async(Cast)()
    # The processes have the platform's own hashers, not those of the tests.
    cast.alice.password = make_password(PASSWORD, hasher=BCryptSHA256PasswordHasher())
    await cast.alice.asave()
    async with web() as one, web() as other:
        phone, laptop = await log_in(one.client, cast.alice.email), await log_in(other.client, cast.alice.email)
        for at in (one, other):  # both processes believe in both from now on
            for headers in (phone, laptop):
                assert (await at.client.get("/api/auth/user", headers=headers)).status_code == 200
        assert (await one.client.post("/api/auth/logout", headers=phone)).status_code == 200
        await over(other.client, phone)
        assert (await other.client.get("/api/auth/user", headers=laptop)).status_code == 200
        change = {"currentPassword": PASSWORD, "newPassword": "another horse"}
        assert (await one.client.post("/api/auth/changePassword", json=change, headers=laptop)).status_code == 200
        await over(other.client, laptop)
        assert "Traceback" not in one.said() + other.said()
        assert PASSWORD not in one.said() and "another horse" not in one.said()
        assert f"Account '{cast.alice.email}': password changed, from 127.0.0.1." in one.said()
