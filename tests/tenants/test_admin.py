"""Django's admin over our services: users, passwords and the audit log."""

from typing import Any

import pytest
from django.test import Client

from tenants.models import ActionType, User
from tests.cast import PASSWORD, Cast, api, create, error
from tests.tenants.test_audit import log_in, rows


@pytest.fixture
def client(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.sam)
    return client


def form(user: User, **changed: str) -> dict[str, str]:
    fields = {"email": user.email, "first_name": "", "last_name": "", "phone": ""}
    return {**fields, **({"is_active": "on"} if user.is_active else {}), **changed}


def test_switching_a_user_off_ends_its_sessions_and_is_in_the_log(cast: Cast, client: Client) -> None:
    alice, path = api(cast.alice), f"/admin/tenants/user/{cast.alice.pk}/change/"
    fields = form(cast.alice, first_name="Al")
    del fields["is_active"]
    assert client.post(path, fields).status_code == 302
    assert error(alice.get("/api/auth/user")) == (401, 10)
    found = rows(entity_id=cast.alice.pk, action__in=[ActionType.UPDATED, ActionType.SUSPENDED])
    assert [(row.action, row.user_id) for row in found] == [
        ("UPDATED", cast.sam.pk),
        ("SUSPENDED", cast.sam.pk),
    ]
    assert found[0].data == {"after": {"first_name": "Al"}}
    assert client.post(path, form(cast.alice)).status_code == 302
    cast.alice.refresh_from_db()
    assert (cast.alice.first_name, cast.alice.is_active) == ("", True)
    assert error(alice.get("/api/auth/user")) == (401, 10)


def test_nobody_switches_itself_off(cast: Cast, client: Client) -> None:
    fields = form(cast.sam)
    del fields["is_active"]
    page = client.post(f"/admin/tenants/user/{cast.sam.pk}/change/", fields)
    assert page.status_code == 200 and "You cannot switch off yourself." in page.text
    cast.sam.refresh_from_db()
    assert cast.sam.is_active


def test_the_log_and_the_groups_are_shown_and_cannot_be_changed(cast: Cast, client: Client) -> None:
    log_in(cast.alice.email, "guess")
    create(api(cast.alice), "/api/v1/userGroups", name="Friends")
    [row] = rows(action="LOGIN", success=False)
    page = client.get("/admin/tenants/auditlog/?action=LOGIN&success__exact=0&entity_type=USER")
    assert page.status_code == 200 and cast.alice.email in page.text
    assert cast.alice.email not in client.get("/admin/tenants/auditlog/?entity_type=DEVICE").text
    path = f"/admin/tenants/auditlog/{row.pk}/"
    assert client.get(path + "change/").status_code == 200
    for refused in ("change/", "delete/"):
        assert client.post(path + refused, {"user_name": "x"}).status_code == 403
    assert client.get("/admin/tenants/auditlog/add/").status_code == 403
    assert "Friends" in client.get("/admin/tenants/usergroup/").text


def test_a_row_is_read_member_by_member_and_what_users_typed_is_no_markup(cast: Cast, client: Client) -> None:
    body = {"id": {"entityType": "USER", "id": str(cast.bob.pk)}, "email": cast.bob.email}
    create(api(cast.alice), "/api/user", **body, firstName="<b>Bob", additionalInfo={"lang": "de_DE"})
    create(api(cast.alice), "/api/user", **body, firstName="Rob")
    [_, row] = rows(entity_id=cast.bob.pk, action="UPDATED")
    page = client.get(f"/admin/tenants/auditlog/{row.pk}/change/").text
    assert "<td>first_name</td><td>&lt;b&gt;Bob</td><td>Rob</td>" in page
    assert "<td>additional_info</td><td>{&quot;lang&quot;: &quot;de_DE&quot;}</td><td></td>" in page
    assert cast.alice.email in page and "127.0.0.1" in page


def test_logging_out_there_is_in_the_log(cast: Cast, client: Client) -> None:
    assert client.get("/admin/logout/").status_code == 405
    assert rows(action="LOGOUT") == []
    client.post("/admin/logout/")
    [row] = rows(action="LOGOUT")
    assert (row.entity_id, row.user_id, row.success) == (cast.sam.pk, cast.sam.pk, True)


def test_a_password_changed_there_is_changed_as_everywhere(cast: Cast, client: Client, settings: Any) -> None:
    settings.TB_LOGIN_MAX_FAILURES = 3
    sam, path = api(cast.sam), "/admin/password_change/"
    assert sam.get("/api/auth/user").status_code == 200

    def change(old: str, new: str, again: str = "") -> Any:
        fields = {"old_password": old, "new_password1": new, "new_password2": again or new}
        return client.post(path, fields)

    assert "Current password doesn&#x27;t match!" in change("a wrong horse", "a better horse").text
    assert "6 or more characters" in change(PASSWORD, "short").text
    assert "didn’t match" in change(PASSWORD, "a better horse", "another horse").text
    assert sam.get("/api/auth/user").status_code == 200
    assert change(PASSWORD, " a better horse ").status_code == 302
    assert client.get("/admin/").status_code == 200  # this browser stays
    assert error(sam.get("/api/auth/user")) == (401, 10)
    assert log_in(cast.sam.email, " a better horse ").status_code == 200
    assert [row.success for row in rows(action="CREDENTIALS_UPDATED", entity_id=cast.sam.pk)] == [False, True]
    for _ in range(3):
        change("a wrong horse", "a better horse")
    assert "locked" in change(" a better horse ", "the best horse").text
