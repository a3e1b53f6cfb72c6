"""ThingsBoard's API of users: who may make, change, open and delete whom, and in which shape."""

import json
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from tenants.models import ActivationToken, Authority, User
from tenants.services.activation import activation_link
from tenants.services.customers import create_customer
from tenants.services.users import create_user
from tests.cast import Cast, api, create, error
from thingsboard.kernel.ids import NULL_UUID, new_id


def ref(kind: str, key: Any) -> dict[str, str]:
    return {"entityType": kind, "id": str(key)}


def save(by: User, **body: Any) -> Any:
    return create(api(by), "/api/user?sendActivationMail=false", **body)


def emails(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    data = answer.json()
    return sorted(user["email"] for user in (data["data"] if isinstance(data, dict) else data))


def test_a_tenant_administrator_makes_a_user_of_its_customer_who_activates_itself(cast: Cast) -> None:
    answer = save(
        cast.alice,
        email="carl@bistro.example",
        authority="CUSTOMER_USER",
        customerId=ref("CUSTOMER", cast.bistro.pk),
        firstName="Carl",
        lastName="Cook",
        phone="+1 555",
        additionalInfo={"description": "cook", "userActivated": True},
    )
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert body["tenantId"] == ref("TENANT", cast.acme.pk)
    assert body["customerId"] == ref("CUSTOMER", cast.bistro.pk)
    assert (body["name"], body["firstName"], body["version"]) == ("carl@bistro.example", "Carl", 1)
    assert body["additionalInfo"] == {"description": "cook", "userCredentialsEnabled": True, "userActivated": False}
    link = api(cast.alice).get(f"/api/user/{body['id']['id']}/activationLink").content.decode()
    token = link.partition("=")[2]
    pair = create(APIClient(), "/api/noauth/activate", activateToken=token, password="first horse").json()
    client = APIClient()
    client.credentials(HTTP_X_AUTHORIZATION=f"Bearer {pair['token']}")
    assert client.get("/api/auth/user").json()["email"] == "carl@bistro.example"


def test_a_system_administrator_makes_administrators_of_a_tenant_that_exists_and_its_own_kind(cast: Cast) -> None:
    made = save(
        cast.sam, email="new@globex.example", authority="TENANT_ADMIN", tenantId=ref("TENANT", cast.globex.pk)
    ).json()
    assert made["tenantId"] == ref("TENANT", cast.globex.pk)
    other = save(cast.sam, email="s@x.example", authority="SYS_ADMIN", tenantId=ref("TENANT", NULL_UUID)).json()
    assert (other["authority"], other["tenantId"]) == ("SYS_ADMIN", ref("TENANT", NULL_UUID))
    assert User.objects.get(email="s@x.example").is_superuser
    missing = save(cast.sam, email="y@x.example", authority="TENANT_ADMIN", tenantId=ref("TENANT", new_id()))
    assert error(missing) == (404, 32)
    assert error(save(cast.sam, email="y@x.example", authority="TENANT_ADMIN")) == (400, 31)


def test_nobody_makes_what_is_not_its_to_make(cast: Cast) -> None:
    customer = ref("CUSTOMER", cast.bistro.pk)
    foreign = ref("CUSTOMER", create_customer(cast.globex, "Globex' own").pk)
    email = "new@x.example"
    for by, status, body in (
        (cast.alice, 403, {"authority": "SYS_ADMIN"}),
        (cast.alice, 404, {"authority": "CUSTOMER_USER", "customerId": foreign}),
        (cast.alice, 404, {"authority": "CUSTOMER_USER", "customerId": ref("CUSTOMER", new_id())}),
        (cast.alice, 400, {"authority": "CUSTOMER_USER"}),
        (cast.alice, 400, {"authority": "TENANT_ADMIN", "customerId": customer}),
        (cast.alice, 400, {"authority": "GOD"}),
        (cast.alice, 400, {}),
        (cast.bob, 403, {"authority": "CUSTOMER_USER", "customerId": customer}),
        (cast.bob, 403, {"authority": "SYS_ADMIN"}),
        (cast.sam, 403, {"authority": "CUSTOMER_USER", "customerId": customer}),
        (cast.sam, 400, {"authority": "SYS_ADMIN", "tenantId": ref("TENANT", cast.acme.pk)}),
    ):
        answer = save(by, email=email, **body)
        assert error(answer)[0] == status, (by.email, body, answer.json())
    assert not User.objects.filter(email=email).exists()


def test_the_tenant_of_a_body_is_never_taken(cast: Cast) -> None:
    made = save(cast.alice, email="n@x.example", authority="TENANT_ADMIN", tenantId=ref("TENANT", cast.globex.pk))
    assert made.json()["tenantId"] == ref("TENANT", cast.acme.pk)


@pytest.mark.parametrize(
    "wish",
    [
        {"authority": "SYS_ADMIN"},
        {"authority": "TENANT_ADMIN"},
        {"tenantId": ref("TENANT", new_id())},
        {"customerId": ref("CUSTOMER", new_id())},
    ],
)
def test_no_body_moves_an_existing_user(cast: Cast, wish: dict[str, Any]) -> None:
    for by in (cast.alice, cast.bob):
        body = {"id": ref("USER", cast.bob.pk), "email": cast.bob.email, **wish}
        answer = save(by, **body)
        assert error(answer) == (400, 31) and "Can't update user" in answer.json()["message"]
    before = (cast.bob.authority, cast.bob.tenant_id, cast.bob.customer_id, False)
    cast.bob.refresh_from_db()
    assert (cast.bob.authority, cast.bob.tenant_id, cast.bob.customer_id, cast.bob.is_superuser) == before


def test_mass_assignment_of_other_columns_does_nothing(cast: Cast) -> None:
    extra = {"isSuperuser": True, "is_superuser": True, "is_active": False, "password": "x", "session_generation": 7}
    made = save(cast.alice, email="n@x.example", authority="TENANT_ADMIN", **extra).json()
    user = User.objects.get(pk=made["id"]["id"])
    assert (user.is_superuser, user.is_active, user.has_usable_password(), user.session_generation) == (
        False,
        True,
        False,
        0,
    )


def test_a_customer_user_changes_its_own_names_and_nothing_else(cast: Cast) -> None:
    key = {"id": ref("USER", cast.bob.pk)}
    answer = save(cast.bob, **key, email=cast.bob.email, firstName="Bob", phone="1", additionalInfo={"lang": "de_DE"})
    assert (answer.status_code, answer.json()["firstName"], answer.json()["version"]) == (200, "Bob", 2)
    assert error(save(cast.bob, **key, email="boss@bistro.example")) == (403, 20)
    assert error(save(cast.bob, id=ref("USER", cast.alice.pk), email=cast.alice.email)) == (404, 32)
    carl = create_user("carl@bistro.example", Authority.CUSTOMER_USER, customer=cast.bistro)
    assert error(save(cast.bob, id=ref("USER", carl.pk), email=carl.email)) == (403, 20)
    assert error(api(cast.bob).delete(f"/api/user/{carl.pk}")) == (403, 20)
    assert error(api(cast.bob).get(f"/api/user/{carl.pk}/token")) == (403, 20)


def test_a_new_address_ends_sessions_and_links_and_must_be_free(cast: Cast) -> None:
    newcomer = create_user("new@acme.example", Authority.TENANT_ADMIN, tenant=cast.acme)
    activation_link(newcomer, shown_to=cast.alice)
    key = {"id": ref("USER", newcomer.pk)}
    assert save(cast.alice, **key, email="other@acme.example").status_code == 200
    assert not ActivationToken.objects.filter(user=newcomer).exists()
    assert error(save(cast.alice, **key, email=cast.gina.email)) == (400, 31)
    assert error(save(cast.alice, **key, email="none")) == (400, 31)
    bob = api(cast.bob)
    assert save(cast.alice, id=ref("USER", cast.bob.pk), email="bobby@bistro.example").status_code == 200
    assert error(bob.get("/api/auth/user")) == (401, 10)


def test_numbers_that_come_back_larger_than_64_bits_are_still_numbers(cast: Cast) -> None:
    key, bob, path = {"id": ref("USER", cast.bob.pk)}, api(cast.bob), "/api/user/settings"
    for _ in range(2):  # the second time, the audit log and the settings read what the database made of it
        saved = save(cast.alice, **key, email=cast.bob.email, additionalInfo={"x": [1e30], "n": _})
        assert saved.json()["additionalInfo"]["x"] == [1e30], saved.content
        assert bob.get(f"/api/user/{cast.bob.pk}").json()["additionalInfo"]["x"] == [1e30]
        assert bob.put(path, {"x": -1e30}, format="json").status_code == 200
        assert bob.get(path).json() == {"x": -1e30}


def test_an_older_version_is_a_conflict(cast: Cast) -> None:
    body = {"id": ref("USER", cast.bob.pk), "email": cast.bob.email, "version": 1}
    assert save(cast.alice, **body).json()["version"] == 2
    assert error(save(cast.alice, **body)) == (409, 35)


@pytest.mark.parametrize(
    "body",
    [
        {"email": ""},
        {"email": 5},
        {"email": "a@b.example", "firstName": "x" * 256},
        {"email": "a@b.example", "additionalInfo": "text"},
        {"email": "a@b.example", "additionalInfo": {"x": "y" * 70_000}},
        {"email": "a@b.example", "additionalInfo": {"x": json.loads("[" * 300 + "]" * 300)}},
        {"email": "a@b.example", "id": {"entityType": "DEVICE", "id": str(new_id())}},
    ],
)
def test_a_bad_body_is_refused_with_a_sentence(cast: Cast, body: dict[str, Any]) -> None:
    assert error(save(cast.alice, authority="TENANT_ADMIN", **body)) == (400, 31)


def test_a_stranger_finds_no_user(cast: Cast) -> None:
    gina = api(cast.gina)
    for method, path in (
        ("get", ""),
        ("delete", ""),
        ("get", "/token"),
        ("get", "/activationLink"),
        ("post", "/userCredentialsEnabled?userCredentialsEnabled=false"),
    ):
        assert error(getattr(gina, method)(f"/api/user/{cast.bob.pk}{path}")) == (404, 32), path
    assert error(save(cast.gina, id=ref("USER", cast.bob.pk), email="mine@globex.example")) == (404, 32)
    assert error(gina.get(f"/api/customer/{cast.bistro.pk}/users?pageSize=10&page=0")) == (404, 32)
    assert emails(gina.get(f"/api/users/list?userIds={cast.bob.pk},{cast.gina.pk}")) == [cast.gina.email]
    # Nor does the system's administrator see users of customers.
    assert error(api(cast.sam).get(f"/api/user/{cast.bob.pk}")) == (404, 32)


def test_lists_hold_whom_one_sees(cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    carl = create_user("carl@bistro.example", Authority.CUSTOMER_USER, customer=cast.bistro)
    assert cast.bob and cast.sam
    page = "pageSize=10&page=0"
    alice, bob, sam = api(cast.alice), api(cast.bob), api(cast.sam)
    alice.get("/api/auth/user")  # who she is, is remembered from now on
    with django_assert_max_num_queries(3):
        everybody = emails(alice.get(f"/api/users?{page}"))
    assert everybody == sorted([cast.alice.email, cast.bob.email, carl.email])
    assert emails(bob.get(f"/api/users?{page}")) == sorted([cast.bob.email, carl.email])
    assert emails(alice.get(f"/api/users?{page}&textSearch=CARL")) == [carl.email]
    assert emails(alice.get(f"/api/users?userIds={carl.pk}&userIds={cast.gina.pk}")) == [carl.email]
    assert emails(alice.get(f"/api/customer/{cast.bistro.pk}/users?{page}")) == sorted([cast.bob.email, carl.email])
    assert emails(sam.get(f"/api/tenant/{cast.acme.pk}/users?{page}")) == [cast.alice.email]
    assert error(sam.get(f"/api/tenant/{new_id()}/users?{page}")) == (404, 32)
    info = alice.get(f"/api/users/info?{page}&sortProperty=email&sortOrder=ASC").json()["data"][0]
    assert info == {"id": ref("USER", cast.alice.pk), "email": cast.alice.email, "firstName": None, "lastName": None}
    for path in (f"/api/users?{page}", f"/api/customer/{cast.bistro.pk}/users?{page}"):
        assert error(sam.get(path)) == (403, 20)
    assert error(alice.get(f"/api/tenant/{cast.acme.pk}/users?{page}")) == (403, 20)
    for query in ("?page=0", "?pageSize=0&page=0", "?userIds=x", f"?userIds={','.join([str(new_id())] * 3)},nonsense"):
        assert error(alice.get(f"/api/users{query}")) == (400, 31), query


def test_switching_off_ends_the_sessions_and_switching_on_does_not_bring_them_back(cast: Cast) -> None:
    bob, path = api(cast.bob), f"/api/user/{cast.bob.pk}/userCredentialsEnabled?userCredentialsEnabled="
    assert api(cast.alice).post(path + "false").status_code == 200
    assert error(bob.get("/api/auth/user")) == (401, 10)
    assert error(api(cast.alice).get(f"/api/user/{cast.bob.pk}/token")) == (400, 31)
    assert api(cast.alice).post(path + "True").status_code == 200
    assert error(bob.get("/api/auth/user")) == (401, 10)
    assert error(api(cast.alice).post(path + "perhaps")) == (400, 31)


def test_an_administrator_logs_in_as_its_user_unless_that_is_switched_off(cast: Cast, settings: Any) -> None:
    alice = api(cast.alice)
    pair = alice.get(f"/api/user/{cast.bob.pk}/token").json()
    client = APIClient()
    client.credentials(HTTP_X_AUTHORIZATION=f"Bearer {pair['token']}")
    assert client.get("/api/auth/user").json()["email"] == cast.bob.email
    assert alice.get("/api/user/tokenAccessEnabled").json() is True
    settings.TB_USER_TOKEN_ACCESS = False
    assert alice.get("/api/user/tokenAccessEnabled").json() is False
    assert error(alice.get(f"/api/user/{cast.bob.pk}/token")) == (403, 20)


def test_an_administrator_deletes_its_users_and_nobody_itself(cast: Cast) -> None:
    bob = api(cast.bob)
    assert api(cast.alice).delete(f"/api/user/{cast.bob.pk}").status_code == 200
    assert error(bob.get("/api/auth/user")) == (401, 10)
    assert error(api(cast.alice).delete(f"/api/user/{cast.bob.pk}")) == (404, 32)
    for user in (cast.alice, cast.sam):
        assert error(api(user).delete(f"/api/user/{user.pk}")) == (403, 20)
        path = f"/api/user/{user.pk}/userCredentialsEnabled?userCredentialsEnabled=false"
        assert error(api(user).post(path)) == (403, 20)


def test_the_last_system_administrator_who_can_log_in_stays(cast: Cast) -> None:
    sue = create_user("sue@example.com", Authority.SYS_ADMIN)  # without a password: she cannot log in yet
    off = f"/api/user/{cast.sam.pk}/userCredentialsEnabled?userCredentialsEnabled=false"
    for refused in (api(sue).delete(f"/api/user/{cast.sam.pk}"), api(sue).post(off)):
        assert error(refused) == (400, 31) and "The last system administrator" in refused.json()["message"]
    create_user("sid@example.com", Authority.SYS_ADMIN, password="long enough")
    assert api(sue).delete(f"/api/user/{cast.sam.pk}").status_code == 200


def test_settings_are_replaced_merged_and_removed_by_paths(cast: Cast) -> None:
    bob, path = api(cast.bob), "/api/user/settings"
    assert bob.get(path).json() == {}
    assert create(bob, path, a=5, b={"c": 10, "d": 20}).json() == {"a": 5, "b": {"c": 10, "d": 20}}
    assert bob.put(path, {"b.d": 30, "e.f": [1]}, format="json").status_code == 200
    assert bob.get(path + "/general").json() == {"a": 5, "b": {"c": 10, "d": 30}, "e": {"f": [1]}}
    assert bob.delete(path + "/b.c,e,none.at.all").status_code == 200
    assert bob.get(path).json() == {"a": 5, "b": {"d": 30}}
    assert bob.put(path + "/QUICK_LINKS", {"links": ["x"]}, format="json").status_code == 200
    assert bob.delete(path + "/QUICK_LINKS/links").status_code == 200
    assert (bob.get(path + "/QUICK_LINKS").json(), bob.get(path).json()["a"]) == ({}, 5)
    assert api(cast.alice).get(path).json() == {}


@pytest.mark.parametrize("body", [{"a.b": 1}, {"x": {"a,b": 1}}, {"x": "y" * 70_000}, {"x": [[[[]]]] * 3, "y.z": 1}])
def test_settings_that_cannot_be_kept_are_refused(cast: Cast, body: dict[str, Any]) -> None:
    assert error(create(api(cast.bob), "/api/user/settings", **body)) == (400, 31)
    assert api(cast.bob).get("/api/user/settings").json() == {}


def test_settings_of_an_unknown_type_and_paths_that_are_none_are_refused(cast: Cast) -> None:
    deep: Any = {}
    for _ in range(40):
        deep = {"a": deep}
    bob = api(cast.bob)
    assert error(bob.get("/api/user/settings/NOTHING")) == (400, 31)
    assert error(bob.put("/api/user/settings", {"a..b": 1}, format="json")) == (400, 31)
    assert error(bob.put("/api/user/settings", {"a": deep}, format="json")) == (400, 31)
