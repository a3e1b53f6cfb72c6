"""The audit log: who did what to what and from where, what failed as well, and never a secret."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from tenants.models import AuditLog, Authority, User
from tenants.services import auth_events
from tenants.services.users import create_user
from tenants.tasks import trim_audit_log
from tests.cast import PASSWORD, Cast, api, create, error
from tests.tenants.clock import clock
from thingsboard.settings.env import networks

__all__ = ["clock"]

DAY = 86_400.0


def rows(**about: Any) -> list[AuditLog]:
    return list(AuditLog.objects.filter(**about).order_by("created_time", "pk"))


def log_in(email: str, password: str, **extra: Any) -> Any:
    body = {"username": email, "password": password}
    return APIClient().post("/api/auth/login", body, format="json", **extra)


def test_every_verb_on_a_user_leaves_who_did_it_and_what_changed(cast: Cast) -> None:
    alice = api(cast.alice)
    body = {"email": "new@acme.example", "authority": "TENANT_ADMIN"}
    key = create(alice, "/api/user", **body, firstName="Ann").json()["id"]
    create(alice, "/api/user", id=key, email="ann@acme.example", firstName="Anna")
    path = f"/api/user/{key['id']}"
    alice.get(f"{path}/activationLink")
    for enabled in ("false", "true"):
        alice.post(f"{path}/userCredentialsEnabled?userCredentialsEnabled={enabled}")
    alice.get(f"{path}/token")
    assert alice.delete(path).status_code == 200
    found = rows(entity_id=key["id"])
    assert [row.action for row in found] == [
        "ADDED",
        "UPDATED",
        "CREDENTIALS_READ",
        "SUSPENDED",
        "ACTIVATED",
        "LOGIN",
        "DELETED",
    ]
    assert {(row.user_id, row.user_name, row.tenant_id, row.success) for row in found} == {
        (cast.alice.pk, cast.alice.email, cast.acme.pk, True)
    }
    added, updated, *_, deleted = (row.data for row in found)
    assert added["after"]["email"] == "new@acme.example" and "before" not in added
    assert updated == {
        "before": {"email": "new@acme.example", "first_name": "Ann"},
        "after": {"email": "ann@acme.example", "first_name": "Anna"},
    }
    assert deleted["before"]["first_name"] == "Anna" and "after" not in deleted


def test_what_failed_is_there_although_its_transaction_was_rolled_back(cast: Cast) -> None:
    taken = create(api(cast.alice), "/api/user", email=cast.gina.email, authority="TENANT_ADMIN")
    assert error(taken) == (400, 31)
    assert error(api(cast.alice).delete(f"/api/user/{cast.alice.pk}")) == (403, 20)
    off = f"/api/user/{cast.alice.pk}/userCredentialsEnabled?userCredentialsEnabled=false"
    assert error(api(cast.alice).post(off)) == (403, 20)
    assert [(row.action, row.entity_name, row.failure, row.user_id) for row in rows(success=False)] == [
        ("ADDED", cast.gina.email, f"User with email '{cast.gina.email}' already present in database!", cast.alice.pk),
        ("DELETED", cast.alice.email, "You cannot delete yourself.", cast.alice.pk),
        ("SUSPENDED", cast.alice.email, "You cannot switch off yourself.", cast.alice.pk),
    ]
    assert User.objects.filter(pk=cast.alice.pk).exists()


def test_what_failed_is_kept_where_transactions_are_real(transactional_db: None) -> None:
    cast = Cast()
    assert error(create(api(cast.alice), "/api/user", email=cast.gina.email, authority="TENANT_ADMIN")) == (400, 31)
    assert [row.action for row in rows(success=False)] == ["ADDED"]


def test_an_account_has_its_logins_and_their_failures(cast: Cast) -> None:
    before = AuditLog.objects.count()
    assert log_in("nobody@acme.example", "guess").status_code == 401
    assert AuditLog.objects.count() == before
    assert log_in(cast.alice.email, "guess").status_code == 401
    token = log_in(cast.alice.email, PASSWORD).json()["token"]
    client = APIClient()
    client.credentials(HTTP_X_AUTHORIZATION=f"Bearer {token}")
    create(client, "/api/auth/changePassword", currentPassword="guess", newPassword="another horse")
    fresh = create(client, "/api/auth/changePassword", currentPassword=PASSWORD, newPassword="another horse").json()
    client.credentials(HTTP_X_AUTHORIZATION=f"Bearer {fresh['token']}")
    create(client, "/api/auth/logout")
    found = rows(entity_id=cast.alice.pk)[1:]
    assert sorted((row.action, row.success) for row in found) == [
        ("CREDENTIALS_UPDATED", False),
        ("CREDENTIALS_UPDATED", True),
        ("LOGIN", False),
        ("LOGIN", True),
        ("LOGOUT", True),
    ]
    assert {(row.user_id, row.tenant_id) for row in found} == {(cast.alice.pk, cast.acme.pk)}
    assert [row.failure for row in found if row.action == "LOGIN" and not row.success] == [
        "Invalid username or password"
    ]


def test_whoever_goes_on_guessing_does_not_fill_the_log(cast: Cast, settings: Any) -> None:
    settings.TB_LOGIN_MAX_FAILURES = 3
    for _ in range(8):
        assert log_in(cast.alice.email, "guess").status_code == 401
    found = [(row.action, row.success) for row in rows(entity_id=cast.alice.pk)[1:]]
    assert sorted(found) == [("LOCKOUT", True), *[("LOGIN", False)] * 3]


def test_an_account_that_is_switched_off_does_not_fill_the_log_either(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth_events, "MOST_FAILURES", 2)
    off = create_user("off@acme.example", Authority.TENANT_ADMIN, password=PASSWORD, tenant=cast.acme, is_active=False)
    for _ in range(4):
        assert log_in(off.email, PASSWORD).json()["message"] == "User account is not active"
    assert len(rows(entity_id=off.pk, success=False)) == 2


def test_activating_is_the_new_users_own_deed(cast: Cast) -> None:
    user = create_user("new@acme.example", Authority.TENANT_ADMIN, tenant=cast.acme)
    link = api(cast.alice).get(f"/api/user/{user.pk}/activationLink").content.decode()
    create(APIClient(), "/api/noauth/activate", activateToken=link.partition("=")[2], password="first horse")
    shown, activated = rows(entity_id=user.pk, action__in=["CREDENTIALS_READ", "ACTIVATED"])
    assert (shown.user_id, activated.user_id) == (cast.alice.pk, user.pk)


def test_the_address_is_the_clients_behind_trusted_proxies_and_cannot_be_made_up(cast: Cast, settings: Any) -> None:
    settings.TB_TRUSTED_PROXIES = networks("NOBODY_SETS_THIS", "10.0.0.0/24")
    for peer, forwarded in (
        ("10.0.0.5", "203.0.113.9, 198.51.100.7"),  # what the client made up stands before what our proxy wrote
        ("192.0.2.1", "198.51.100.7"),  # nobody of ours
        ("10.0.0.5", "nonsense"),
    ):
        extra = {"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded}
        log_in(cast.alice.email, "guess", **extra)
        body = {"email": f"n{len(rows())}@x.example", "authority": "TENANT_ADMIN"}
        assert api(cast.alice).post("/api/user", body, format="json", **extra).status_code == 200
    expected = ["198.51.100.7", "192.0.2.1", "10.0.0.5"]
    assert [row.address for row in rows(action="LOGIN", success=False)] == expected
    assert [row.address for row in rows(action="ADDED", user_id=cast.alice.pk)] == expected


def test_administrators_read_their_own_log_and_nobody_else_reads_any(cast: Cast) -> None:
    for user in (cast.alice, cast.gina, cast.sam, cast.bob):
        log_in(user.email, PASSWORD)

    def names(user: User, path: str) -> set[str]:
        answer = api(user).get(path).json()
        found = answer["data"] if "data" in answer else answer["results"]
        return {row.get("userName") or row.get("user_name") for row in found}

    for path in ("/api/audit/logs?pageSize=100&page=0&actionTypes=LOGIN", "/api/v1/auditLogs?action=LOGIN"):
        assert names(cast.alice, path) == {cast.alice.email, cast.bob.email}
        assert names(cast.gina, path) == {cast.gina.email}
        assert names(cast.sam, path) == {cast.sam.email}
        assert api(cast.bob).get(path).status_code == 403
    [row] = rows(action="LOGIN", entity_id=cast.gina.pk)
    assert api(cast.alice).get(f"/api/v1/auditLogs/{row.pk}").status_code == 404
    for method in ("put", "post", "delete"):
        assert getattr(api(cast.gina), method)(f"/api/v1/auditLogs/{row.pk}", {}, format="json").status_code == 405


def test_no_secret_is_in_any_row(cast: Cast) -> None:
    alice, secrets = (
        api(cast.alice),
        [PASSWORD, "first horse", "second horse", "wrong horse", "long horse", "acme-meter"],
    )
    body = {"email": "v1@acme.example", "authority": "TENANT_ADMIN", "password": "long horse"}
    assert alice.post("/api/v1/users", body, format="json").status_code == 201
    alice.post("/api/v1/users", {**body, "email": "nonsense"}, format="json")
    alice.post("/api/v1/users", body, format="json")
    key = create(alice, "/api/user", email="new@acme.example", authority="TENANT_ADMIN").json()["id"]["id"]
    link = alice.get(f"/api/user/{key}/activationLink").content.decode().partition("=")[2]
    pair = create(APIClient(), "/api/noauth/activate", activateToken=link, password="first horse").json()
    client = APIClient()
    client.credentials(HTTP_X_AUTHORIZATION=f"Bearer {pair['token']}")
    create(client, "/api/auth/changePassword", currentPassword="wrong horse", newPassword="second horse")
    fresh = create(client, "/api/auth/changePassword", currentPassword="first horse", newPassword="second horse").json()
    opened = alice.get(f"/api/user/{key}/token").json()
    log_in("new@acme.example", "wrong horse")
    secrets += [link, *pair.values(), *fresh.values(), *opened.values(), User.objects.get(pk=key).password]
    device = {"deviceId": {"entityType": "DEVICE", "id": str(cast.device.pk)}, "credentialsType": "ACCESS_TOKEN"}
    assert create(alice, "/api/device/credentials", **device, credentialsId="token-of-a-test").status_code == 200
    alice.delete(f"/api/user/{key}")
    secrets += ["token-of-a-test"]
    columns = [field.attname for field in AuditLog._meta.concrete_fields]
    told = json.dumps(list(AuditLog.objects.values(*columns)), default=str, ensure_ascii=False)
    assert len(rows()) > 10 and all(secrets)
    assert [secret for secret in secrets if secret in told] == []


def test_what_is_too_old_is_removed_slice_by_slice(
    cast: Cast, settings: Any, clock: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenants.services.audit_retention.MOST_AT_ONCE", 2)
    old = AuditLog.objects.count()
    assert old > 2
    clock(3 * DAY)
    log_in(cast.alice.email, PASSWORD)
    settings.TB_AUDIT_RETENTION_DAYS = 0
    trim_audit_log()
    assert AuditLog.objects.count() == old + 1
    settings.TB_AUDIT_RETENTION_DAYS = 2
    trim_audit_log()
    assert [row.action for row in rows()] == ["LOGIN"]
    assert settings.CELERY_BEAT_SCHEDULE["trim-audit-log"]["task"] == trim_audit_log.name
