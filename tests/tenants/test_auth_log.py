"""Every event of an account is in the log, and nothing that would open it."""

import logging
from typing import Any

import pytest
from rest_framework.test import APIClient

from tenants.models import Authority
from tenants.services.sessions import set_enabled
from tenants.services.setup import new_setup_token, set_up
from tenants.services.users import create_user
from tests.cast import PASSWORD, Cast, api


def post(path: str, client: APIClient | None = None, **body: Any) -> Any:
    return (client or APIClient()).post(path, body, format="json", REMOTE_ADDR="198.51.100.7")


def test_the_log_tells_what_happened_to_whom_from_where(
    cast: Cast, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tenants")
    settings.TB_LOGIN_MAX_FAILURES = 2
    alice = cast.alice.email
    pair = post("/api/auth/login", username=alice, password=PASSWORD).json()
    for _ in range(2):
        post("/api/auth/login", username="eve\n@acme.example", password="wrong guess")
    client = api(cast.alice)
    post("/api/auth/changePassword", client, currentPassword="wrong guess", newPassword="another horse")
    fresh = post("/api/auth/changePassword", client, currentPassword=PASSWORD, newPassword="another horse").json()
    post("/api/auth/logout", api_with(fresh["token"]))
    newcomer = create_user("new@acme.example", Authority.TENANT_ADMIN, tenant=cast.acme)
    cast.alice.refresh_from_db()
    link = api(cast.alice).get(f"/api/user/{newcomer.pk}/activationLink").content.decode()
    token = link.partition("=")[2]
    post("/api/noauth/activate", activateToken=token, password="first horse")
    set_enabled(newcomer, False)
    set_enabled(newcomer, True)
    setup = new_setup_token() or ""
    set_up(setup, "root@example.org", "nine lives of a cat")

    said = caplog.text
    at = "from 198.51.100.7"
    for line in (
        f"Account '{alice}': logged in, {at}.",
        f"Account 'eve\\n@acme.example': login refused, {at}: Invalid username or password.",
        f"Account 'eve\\n@acme.example': locked, {at}: for unknown addresses, 900 s.",
        f"Account '{alice}': password change refused, {at}: the current password does not match.",
        f"Account '{alice}': password changed, {at}.",
        f"Account '{alice}': logged out, {at}.",
        f"Account 'new@acme.example': activation link shown: to {alice}.",
        f"Account 'new@acme.example': activated, {at}.",
        "Account 'new@acme.example': switched off.",
        "Account 'new@acme.example': switched on.",
        "Account 'root@example.org': first system administrator created.",
    ):
        assert line in said
    secrets = (PASSWORD, "wrong guess", "another horse", "first horse", token, setup, pair["token"], fresh["token"])
    assert [secret for secret in (*secrets, "nine lives") if secret in said] == []


def api_with(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_X_AUTHORIZATION=f"Bearer {token}")
    return client
