"""/api/v1/dashboards."""

from typing import Any

from dashboards.services.dashboards import DashboardFields, assign_dashboard, create_dashboard
from tenants.services.customers import create_customer
from tests.cast import Cast, api
from tests.dashboards.example import configuration


def make(user: Any, **body: Any) -> Any:
    return api(user).post("/api/v1/dashboards", body, format="json")


def test_a_dashboard_is_made_read_replaced_and_deleted(cast: Cast) -> None:
    alice = api(cast.alice)
    answer = make(cast.alice, title="Heat", mobile_order=1, configuration=configuration(cast.device.pk))
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert made["configuration"] == configuration(cast.device.pk)
    assert {name: made[name] for name in ("title", "image", "mobile_hide", "mobile_order", "version", "external_id")} == {
        "title": "Heat", "image": None, "mobile_hide": False, "mobile_order": 1, "version": 1, "external_id": None,
    }  # fmt: skip
    path = f"/api/v1/dashboards/{made['id']}"
    assert alice.get(path).json() == made
    assert alice.get(f"/api/dashboard/{made['id']}").json()["configuration"] == made["configuration"]
    changed = alice.put(path, {**made, "title": "Light", "configuration": {"a": 1}}, format="json")
    assert (changed.json()["title"], changed.json()["version"], changed.json()["configuration"]) == (
        "Light",
        2,
        {"a": 1},
    )
    assert alice.put(path, made, format="json").status_code == 409
    assert alice.delete(path).status_code == 204
    assert alice.get(path).status_code == 404


def test_a_list_has_no_configurations(cast: Cast, django_assert_max_num_queries: Any) -> None:
    for number in range(3):
        create_dashboard(cast.acme.pk, DashboardFields(title=f"D{number}", configuration={"a": number}))
    client = api(cast.alice)
    with django_assert_max_num_queries(4) as asked:  # user, count, page, and whether the session has ended
        page = client.get("/api/v1/dashboards?ordering=title&limit=2").json()
    assert (page["count"], [each["title"] for each in page["results"]]) == (3, ["D0", "D1"])
    assert "configuration" not in page["results"][0]
    assert not [query for query in asked.captured_queries if '."configuration"' in query["sql"]]
    assert client.get("/api/v1/dashboards?search=d2").json()["count"] == 1
    assert client.get("/api/v1/dashboards?title=D1").json()["count"] == 1
    assert client.get("/api/v1/dashboards?ordering=configuration").status_code == 400


def test_a_stranger_finds_none_and_a_customers_user_changes_none(cast: Cast) -> None:
    dashboard = assign_dashboard(create_dashboard(cast.acme.pk, DashboardFields(title="Heat")), cast.bistro)
    path, body = f"/api/v1/dashboards/{dashboard.pk}", {"title": "Mine"}
    gina, bob = api(cast.gina), api(cast.bob)
    assert gina.get("/api/v1/dashboards").json()["results"] == []
    assert [gina.get(path).status_code, gina.delete(path).status_code] == [404, 404]
    assert gina.put(path, body, format="json").status_code == 404
    assert bob.get(path).status_code == 200
    assert [bob.put(path, body, format="json").status_code, bob.delete(path).status_code] == [403, 403]
    assert make(cast.bob, title="Mine").status_code == 403
    assert api(cast.sam).get("/api/v1/dashboards").status_code == 403


def test_what_json_cannot_be_stored_is_refused(cast: Cast) -> None:
    for document in ('{"a": "\\ud800"}', '{"a": "\\u0000"}', '{"a": NaN}', "{"):
        raw = f'{{"title": "Heat", "configuration": {document}}}'
        answer = api(cast.alice).post("/api/v1/dashboards", raw, content_type="application/json")
        assert answer.status_code == 400, answer.content


def test_a_list_is_filtered_by_customers_that_one_may_know_of(cast: Cast) -> None:
    dashboard = assign_dashboard(create_dashboard(cast.acme.pk, DashboardFields(title="Heat")), cast.bistro)
    create_dashboard(cast.acme.pk, DashboardFields(title="Light"))
    rival = create_customer(cast.acme, "Rival")
    assign_dashboard(dashboard, rival)

    def count(user: Any, customer: Any) -> int:
        return int(api(user).get(f"/api/v1/dashboards?customer_id={customer.pk}").json()["count"])

    assert [count(cast.alice, each) for each in (cast.bistro, rival)] == [1, 1]
    assert [count(cast.bob, each) for each in (cast.bistro, rival)] == [1, 0]
