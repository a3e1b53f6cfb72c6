"""/api/v1/users: the same rules as ThingsBoard's paths, in our own shape."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from tenants.models import Authority, User
from tenants.services.users import create_user
from tests.cast import Cast, api
from thingsboard.kernel.ids import new_id

PATH = "/api/v1/users"


def post(by: User, **body: Any) -> Any:
    return api(by).post(PATH, body, format="json")


def put(by: User, user: User, **body: Any) -> Any:
    return api(by).put(f"{PATH}/{user.pk}", body, format="json")


def emails(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [user["email"] for user in answer.json()["results"]]


def log_in(email: str, password: str) -> int:
    body = {"email": email, "password": password}
    return int(APIClient().post("/api/v1/auth/login", body, format="json").status_code)


def test_a_user_is_made_with_a_password_and_logs_in(cast: Cast) -> None:
    body = {"email": "carl@bistro.example", "authority": "CUSTOMER_USER", "customer_id": str(cast.bistro.pk)}
    answer = post(cast.alice, **body, first_name="Carl", password=" with blanks ")
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert set(made) == {
        "id", "created_time", "name", "email", "authority", "tenant_id", "customer_id", "first_name", "last_name",
        "phone", "enabled", "activated", "last_login_time", "additional_info", "version",
    }  # fmt: skip
    assert (made["tenant_id"], made["customer_id"]) == (str(cast.acme.pk), str(cast.bistro.pk))
    assert (made["activated"], made["enabled"], made["last_login_time"]) == (True, True, None)
    assert log_in("carl@bistro.example", " with blanks ") == 200
    assert api(cast.alice).get(f"{PATH}/{made['id']}").json()["last_login_time"] > 0


def test_a_user_without_a_password_gets_a_link_that_only_administrators_read(cast: Cast) -> None:
    body = {"email": "carl@bistro.example", "authority": "CUSTOMER_USER", "customer_id": str(cast.bistro.pk)}
    made = post(cast.alice, **body).json()
    assert made["activated"] is False
    path = f"{PATH}/{made['id']}/activationLink"
    link = api(cast.alice).get(path).json()
    assert "/api/noauth/activate?activateToken=" in link["value"] and link["ttl_ms"] > 0
    assert api(cast.gina).get(path).status_code == 404
    assert api(cast.bob).get(path).status_code == 403
    assert api(cast.alice).get(f"{PATH}/{cast.alice.pk}/activationLink").status_code == 400


def test_nobody_makes_what_is_not_its_to_make(cast: Cast) -> None:
    customer = str(cast.bistro.pk)
    for by, status, body in (
        (cast.alice, 403, {"authority": "SYS_ADMIN"}),
        (cast.alice, 404, {"authority": "CUSTOMER_USER", "customer_id": str(new_id())}),
        (cast.gina, 404, {"authority": "CUSTOMER_USER", "customer_id": customer}),
        (cast.alice, 400, {}),
        (cast.alice, 400, {"authority": "TENANT_ADMIN", "password": "short"}),
        (cast.alice, 400, {"authority": "TENANT_ADMIN", "email": cast.gina.email}),
        (cast.bob, 403, {"authority": "CUSTOMER_USER", "customer_id": customer}),
        (cast.sam, 404, {"authority": "TENANT_ADMIN", "tenant_id": str(new_id())}),
        (cast.sam, 403, {"authority": "CUSTOMER_USER", "customer_id": customer}),
    ):
        answer = post(by, **{"email": "new@x.example", **body})
        assert answer.status_code == status, (by.email, body, answer.json())
        assert set(answer.json()) == {"detail", "status_code"}
    assert not User.objects.filter(email="new@x.example").exists()


def test_put_replaces_and_moves_nobody(cast: Cast) -> None:
    answer = put(cast.alice, cast.bob, email=cast.bob.email, first_name="Bob", additional_info={"a": 1})
    assert (answer.status_code, answer.json()["first_name"], answer.json()["additional_info"]) == (200, "Bob", {"a": 1})
    answer = put(cast.alice, cast.bob, email=cast.bob.email, authority="CUSTOMER_USER", version=2)
    assert (answer.json()["first_name"], answer.json()["additional_info"], answer.json()["version"]) == ("", None, 3)
    for body, status in (
        ({"authority": "SYS_ADMIN"}, 400),
        ({"tenant_id": str(cast.globex.pk)}, 400),
        ({"customer_id": str(new_id())}, 400),
        ({"password": "a new password"}, 400),
        ({"version": 1}, 409),
    ):
        assert put(cast.alice, cast.bob, **{"email": cast.bob.email, **body}).status_code == status, body
    assert put(cast.gina, cast.bob, email="mine@globex.example").status_code == 404
    assert put(cast.alice, cast.bob).status_code == 400


def test_a_customer_user_changes_its_own_names_and_nothing_else(cast: Cast) -> None:
    carl = create_user("carl@bistro.example", Authority.CUSTOMER_USER, customer=cast.bistro)
    assert put(cast.bob, cast.bob, email=cast.bob.email, last_name="Baker").json()["last_name"] == "Baker"
    assert put(cast.bob, cast.bob, email="boss@bistro.example").status_code == 403
    assert put(cast.bob, cast.bob, email=cast.bob.email, enabled=False).status_code == 403
    assert put(cast.bob, carl, email=carl.email).status_code == 403
    assert api(cast.bob).delete(f"{PATH}/{carl.pk}").status_code == 403
    assert put(cast.bob, cast.alice, email=cast.alice.email).status_code == 404


def test_enabled_is_a_switch_and_nothing_is_saved_where_it_is_refused(cast: Cast) -> None:
    bob = api(cast.bob)
    assert put(cast.alice, cast.bob, email=cast.bob.email, enabled=False).json()["enabled"] is False
    assert bob.get("/api/v1/auth/user").status_code == 401
    assert put(cast.alice, cast.bob, email=cast.bob.email).json()["enabled"] is False
    assert put(cast.alice, cast.alice, email=cast.alice.email, first_name="Al", enabled=False).status_code == 403
    cast.alice.refresh_from_db()
    assert (cast.alice.first_name, cast.alice.is_active) == ("", True)


def test_deleting(cast: Cast) -> None:
    assert api(cast.gina).delete(f"{PATH}/{cast.bob.pk}").status_code == 404
    assert api(cast.alice).delete(f"{PATH}/{cast.alice.pk}").status_code == 403
    assert api(cast.alice).delete(f"{PATH}/{cast.bob.pk}").status_code == 204
    assert api(cast.alice).get(f"{PATH}/{cast.bob.pk}").status_code == 404


def test_the_list_is_filtered_searched_and_ordered(
    cast: Cast, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    carl = create_user("carl@bistro.example", Authority.CUSTOMER_USER, customer=cast.bistro, is_active=False)
    assert cast.bob and cast.sam
    alice = api(cast.alice)
    alice.get(f"{PATH}/{cast.alice.pk}")  # who she is, is remembered from now on
    with django_assert_max_num_queries(3):
        everybody = emails(alice.get(f"{PATH}?ordering=email"))
    assert everybody == [cast.alice.email, cast.bob.email, carl.email]
    for query, found in (
        ("authority=TENANT_ADMIN", [cast.alice.email]),
        ("enabled=false", [carl.email]),
        ("enabled=True&authority=CUSTOMER_USER", [cast.bob.email]),
        ("enabled=&search=carl", [carl.email]),
        (f"customer_id={cast.bistro.pk}&ordering=-email", [carl.email, cast.bob.email]),
        (f"customer_id={new_id()}", []),
        ("search=CARL", [carl.email]),
        ("ordering=email&limit=1&offset=1", [cast.bob.email]),
    ):
        assert emails(alice.get(f"{PATH}?{query}")) == found, query
    assert emails(api(cast.gina).get(PATH)) == [cast.gina.email]
    assert emails(api(cast.sam).get(f"{PATH}?ordering=email&tenant_id={cast.acme.pk}")) == [cast.alice.email]
    assert emails(api(cast.bob).get(f"{PATH}?ordering=email")) == [cast.bob.email, carl.email]


@pytest.mark.parametrize("query", ["ordering=password", "authority=GOD", "customer_id=x", "enabled=perhaps", "limit=0"])
def test_a_question_that_is_not_understood_is_refused(cast: Cast, query: str) -> None:
    assert api(cast.alice).get(f"{PATH}?{query}").status_code == 400
