"""Signing in on our own API: /api/v1/auth."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from devices.services.reserved import RESERVED_TOKENS
from tenants.auth.jwt import issue_pair
from tests.cast import PASSWORD, Cast, api
from tests.tenants.clock import clock

__all__ = ["clock"]


def post(path: str, body: dict[str, Any]) -> Any:
    return APIClient().post(path, body, format="json")


@pytest.mark.parametrize("name", ["email", "username"])
def test_a_login_takes_either_name_and_answers_the_refresh_token_under_both(cast: Cast, name: str) -> None:
    answer = post("/api/v1/auth/login", {name: cast.alice.email, "password": PASSWORD})
    assert answer.status_code == 200 and set(answer.json()) == {"token", "refreshToken", "refresh_token"}
    assert answer.json()["refreshToken"] == answer.json()["refresh_token"]
    assert post("/api/auth/login", {name: cast.alice.email, "password": PASSWORD}).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/auth/token/refresh", "/api/auth/token/refresh"])
@pytest.mark.parametrize("name", ["refreshToken", "refresh_token"])
def test_a_refresh_token_is_exchanged(cast: Cast, path: str, name: str) -> None:
    pair = issue_pair(cast.alice)
    answer = post(path, {name: pair.refresh_token})
    assert answer.status_code == 200 and set(answer.json()) == {"token", "refreshToken", "refresh_token"}
    assert post(path, {name: pair.token}).status_code == 401


def test_the_current_user_is_a_resource(cast: Cast) -> None:
    user = api(cast.bob).get("/api/v1/auth/user").json()
    assert (user["id"], user["email"], user["name"]) == (str(cast.bob.pk), cast.bob.email, cast.bob.email)
    assert (user["tenant_id"], user["customer_id"]) == (str(cast.acme.pk), str(cast.bistro.pk))
    assert (user["created_time"], user["enabled"], user["activated"]) == (cast.bob.created_time, True, True)
    assert "password" not in user
    nobody = api(cast.sam).get("/api/v1/auth/user").json()
    assert nobody["tenant_id"] is nobody["customer_id"] is None


def test_errors_have_our_own_body(cast: Cast, clock: Any) -> None:
    client = api(cast.alice)
    answer = post("/api/v1/auth/login", {"email": cast.alice.email, "password": "wrong"})
    assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid username or password", "status_code": 401})
    answer = APIClient().get("/api/v1/auth/user")
    assert (answer.status_code, answer.json()) == (401, {"detail": "Authentication failed", "status_code": 401})
    clock(3601)
    assert client.get("/api/v1/auth/user").json() == {"detail": "Token has expired", "status_code": 401}


def test_a_password_is_changed_and_a_session_ended(cast: Cast) -> None:
    client = api(cast.alice)
    body = {"current_password": PASSWORD, "new_password": "another horse"}
    answer = client.post("/api/v1/auth/changePassword", body, format="json")
    assert set(answer.json()) == {"token", "refreshToken", "refresh_token"}
    assert client.get("/api/v1/auth/user").status_code == 401
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['token']}")
    assert client.post("/api/v1/auth/logout").status_code == 200
    assert client.get("/api/v1/auth/user").status_code == 401
    assert post("/api/v1/auth/login", {"email": cast.alice.email, "password": "another horse"}).status_code == 200


def test_no_device_can_be_called_auth(cast: Cast) -> None:
    assert "auth" in RESERVED_TOKENS
    refused = api(cast.alice).post("/api/device?accessToken=auth", {"name": "x"}, format="json")
    assert refused.status_code == 400
