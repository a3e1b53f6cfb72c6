"""To which customers a dashboard is assigned, over both families of the API."""

from typing import Any

import pytest

from dashboards.models import Dashboard
from dashboards.services.dashboards import DashboardFields, create_dashboard
from tenants.services.customers import create_customer
from tests.cast import Cast, api, error
from thingsboard.kernel.ids import new_id


@pytest.fixture
def dashboard(cast: Cast) -> Dashboard:
    return create_dashboard(cast.acme.pk, DashboardFields(title="Heat"))


def assigned(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [each["title"] for each in answer.json()["assignedCustomers"]]


def seen(cast: Cast, dashboard: Dashboard) -> list[int]:
    """What bob is answered at every door, and how many he finds in the lists."""
    bob = api(cast.bob)
    page = bob.get(f"/api/customer/{cast.bistro.pk}/dashboards?pageSize=9&page=0").json()
    return [
        bob.get(f"/api/dashboard/{dashboard.pk}").status_code,
        bob.get(f"/api/dashboard/info/{dashboard.pk}").status_code,
        bob.get(f"/api/v1/dashboards/{dashboard.pk}").status_code,
        page["totalElements"],
        bob.get("/api/v1/dashboards").json()["count"],
    ]


def test_a_customers_user_sees_a_dashboard_only_while_it_is_assigned(cast: Cast, dashboard: Dashboard) -> None:
    path = f"/api/customer/{cast.bistro.pk}/dashboard/{dashboard.pk}"
    assert seen(cast, dashboard) == [404, 404, 404, 0, 0]
    for _ in range(2):
        assert assigned(api(cast.alice).post(path)) == ["Bistro"]
    assert seen(cast, dashboard) == [200, 200, 200, 1, 1]
    for _ in range(2):
        assert assigned(api(cast.alice).delete(path)) == []
    assert seen(cast, dashboard) == [404, 404, 404, 0, 0]


def test_customers_are_set_added_and_removed_all_or_none(cast: Cast, dashboard: Dashboard) -> None:
    alice, path = api(cast.alice), f"/api/dashboard/{dashboard.pk}/customers"
    one, two, three = (create_customer(cast.acme, title) for title in ("One", "Two", "Three"))
    foreign = create_customer(cast.globex, "Theirs")

    def post(below: str, *customers: Any) -> Any:
        return alice.post(f"{path}{below}", [str(each) for each in customers], format="json")

    assert assigned(post("", one.pk, two.pk)) == ["One", "Two"]
    assert assigned(post("/add", two.pk, three.pk)) == ["One", "Three", "Two"]
    assert assigned(post("/remove", one.pk, cast.bistro.pk)) == ["Three", "Two"]
    for below in ("", "/add", "/remove"):
        assert error(post(below, one.pk, foreign.pk)) == (404, 32)
        assert error(post(below, new_id())) == (404, 32)
        assert error(post(below, "x")) == (400, 31)
        assert error(alice.post(f"{path}{below}", {"ids": []}, format="json")) == (400, 31)
        assert error(api(cast.gina).post(f"{path}{below}", [str(foreign.pk)], format="json")) == (404, 32)
        assert error(api(cast.bob).post(f"{path}{below}", [], format="json")) == (403, 20)
    assert list(dashboard.customers.order_by("title").values_list("title", flat=True)) == ["Three", "Two"]
    assert assigned(alice.post(path, b"", content_type="application/json")) == []


def test_nobody_assigns_what_or_to_whom_he_does_not_see(cast: Cast, dashboard: Dashboard) -> None:
    theirs = create_customer(cast.globex, "Theirs")
    for customer in (theirs.pk, new_id()):
        path = f"/api/customer/{customer}/dashboard/{dashboard.pk}"
        assert error(api(cast.alice).post(path)) == (404, 32)
        assert error(api(cast.alice).delete(path)) == (404, 32)
    path = f"/api/customer/{theirs.pk}/dashboard/{dashboard.pk}"
    assert error(api(cast.gina).post(path)) == (404, 32)
    assert error(api(cast.bob).get(f"/api/customer/{theirs.pk}/dashboards?pageSize=9&page=0")) == (404, 32)
    assert not dashboard.customers.exists()


def test_a_dashboard_is_made_public_and_private_again(cast: Cast, dashboard: Dashboard) -> None:
    path = f"/api/customer/public/dashboard/{dashboard.pk}"
    assert assigned(api(cast.alice).delete(path)) == []
    (public,) = api(cast.alice).post(path).json()["assignedCustomers"]
    assert (public["title"], public["public"]) == ("Public", True)
    assert assigned(api(cast.alice).delete(path)) == []
    assert error(api(cast.gina).post(path)) == (404, 32)
    assert api(cast.bob).post(path).status_code == 403


def test_our_own_api_has_the_customers_below_a_dashboard(cast: Cast, dashboard: Dashboard) -> None:
    alice, path = api(cast.alice), f"/api/v1/dashboards/{dashboard.pk}/customers"
    other, foreign = create_customer(cast.acme, "Another"), create_customer(cast.globex, "Theirs")

    def ids(*customers: Any) -> dict[str, Any]:
        return {"ids": [str(each.pk) for each in customers]}

    def now() -> list[str]:
        return [each["title"] for each in alice.get(path).json()["results"]]

    assert alice.put(path, ids(cast.bistro), format="json").status_code == 204
    assert now() == ["Bistro"]
    assert alice.post(f"{path}/add", ids(other), format="json").status_code == 204
    assert now() == ["Another", "Bistro"]
    assert alice.post(f"{path}/remove", ids(cast.bistro), format="json").status_code == 204
    assert now() == ["Another"]
    assert alice.put(path, ids(cast.bistro, foreign), format="json").status_code == 404
    assert now() == ["Another"]
    for wrong in ({}, {"ids": ["x"]}, {"ids": 5}):
        assert alice.put(path, wrong, format="json").status_code == 400
    alice.put(path, ids(cast.bistro), format="json")
    bob = api(cast.bob)
    assert [bob.get(path).status_code, bob.put(path, ids(), format="json").status_code] == [403, 403]
    assert [api(cast.gina).get(path).status_code, api(cast.gina).put(path, ids(), format="json").status_code] == [
        404
    ] * 2
