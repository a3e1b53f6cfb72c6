"""/api/dashboard*: dashboards as ThingsBoard's clients save, read, list and delete them."""

import json
from typing import Any

import pytest

from dashboards.models import Dashboard
from dashboards.services.configuration import LARGEST_CONFIGURATION
from dashboards.services.dashboards import DashboardFields, assign_dashboard, create_dashboard
from tenants.models import AuditLog
from tenants.services.customers import create_customer, delete_customer
from tenants.services.tenants import delete_tenant, update_profile
from tests.cast import Cast, api, create, error
from tests.dashboards.example import configuration
from thingsboard.kernel.ids import NULL_UUID, new_id


def save(user: Any, **body: Any) -> Any:
    return create(api(user), "/api/dashboard", **body)


def made(cast: Cast, title: str = "Heat", **more: Any) -> Dashboard:
    return create_dashboard(cast.acme.pk, DashboardFields(title=title, **more))


def test_what_thingsboard_exported_comes_back_unchanged(cast: Cast) -> None:
    exported = {
        "title": "Heat",
        "image": "data:image/png;base64,AAAA",
        "mobileHide": False,
        "mobileOrder": 3,
        "configuration": configuration(cast.device.pk),
        "externalId": {"entityType": "DASHBOARD", "id": str(new_id())},
        "resources": [],
    }
    saved = save(cast.alice, **exported)
    assert saved.status_code == 200, saved.content
    read = api(cast.alice).get(f"/api/dashboard/{saved.json()['id']['id']}")
    assert read.json() == saved.json()
    for name in exported.keys() - {"resources"}:
        assert read.json()[name] == exported[name]
    # Not only the same members, but in the same order, which a client may show.
    assert json.dumps(exported["configuration"], ensure_ascii=False, separators=(",", ":")) in read.content.decode()
    assert (read.json()["name"], read.json()["version"], read.json()["assignedCustomers"]) == ("Heat", 1, [])
    assert read.json()["tenantId"] == {"entityType": "TENANT", "id": str(cast.acme.pk)}


@pytest.mark.parametrize(
    "strange",
    [
        None,
        {},
        {"widgets": [{"bundleAlias": "charts", "typeAlias": "basic_timeseries", "isSystemType": True}], "aliases": 5},
        {"widgets": {"x": {"typeFullFqn": "tenant.mine", "config": {"anything": [[[1]]]}}}, "unheard": {"of": "it"}},
        {"widgets": None, "states": None, "entityAliases": None, "timewindow": None, "settings": None},
        {"entityAliases": {"x": {"filter": {"type": "deviceType", "entityList": "not ours"}}}},
    ],
)
def test_what_we_do_not_know_of_a_configuration_is_kept(cast: Cast, strange: Any) -> None:
    saved = save(cast.alice, title="Heat", configuration=strange)
    assert (saved.status_code, saved.json().get("configuration")) == (200, strange)


def with_widget(**config: Any) -> dict[str, Any]:
    return {"widgets": {"w1": {"config": config}}}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ([], "configuration: expected an object, got an array"),
        ({"widgets": "x"}, "configuration.widgets: expected an object, got a text"),
        ({"widgets": {"w1": 5}}, "configuration.widgets.w1: expected an object, got a number"),
        ({"widgets": [5]}, "configuration.widgets[0]: expected an object, got a number"),
        (
            {"widgets": {"w1": {"typeFullFqn": {}}}},
            "configuration.widgets.w1.typeFullFqn: expected a text, got an object",
        ),
        ({"widgets": {"w1": {"sizeX": "8"}}}, "configuration.widgets.w1.sizeX: expected a number, got a text"),
        (with_widget(datasources={}), "configuration.widgets.w1.config.datasources: expected an array, got an object"),
        (
            with_widget(datasources=[{"dataKeys": [{"name": "t"}, {"name": 5}]}]),
            "configuration.widgets.w1.config.datasources[0].dataKeys[1].name: expected a text, got a number",
        ),
        (
            with_widget(timewindow={"realtime": {"timewindowMs": True}}),
            "configuration.widgets.w1.config.timewindow.realtime.timewindowMs: expected a number, got a boolean",
        ),
        (
            {"entityAliases": {"a": {"filter": {"type": "entityList", "entityList": ["nobody"]}}}},
            "configuration.entityAliases.a.filter.entityList[0]: expected a UUID, got 'nobody'",
        ),
        (
            {"entityAliases": {"a": {"filter": {"type": "singleEntity", "singleEntity": {"id": 7}}}}},
            "configuration.entityAliases.a.filter.singleEntity.id: expected a UUID, got a number",
        ),
        (
            {"states": {"default": {"layouts": {"main": {"widgets": {"w1": {"col": None, "row": []}}}}}}},
            "configuration.states.default.layouts.main.widgets.w1.row: expected a number, got an array",
        ),
        (
            {"states": {"default": {"layouts": {"main": {"gridSettings": {"columns": 0}}}}}},
            "configuration.states.default.layouts.main.gridSettings.columns: expected from 1 to 1000 columns, got 0",
        ),
        ({"timewindow": 1}, "configuration.timewindow: expected an object, got a number"),
        (json.loads("[" * 70 + "]" * 70), "The JSON is nested too deeply; expected at most 64 levels."),
        ({"widgets": {str(n): {} for n in range(1001)}}, "configuration.widgets: 1001 widgets; expected at most 1000"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_named_with_its_path(cast: Cast, wrong: Any, sentence: str) -> None:
    for answer in (
        save(cast.alice, title="Heat", configuration=wrong),
        create(api(cast.alice), "/api/v1/dashboards", title="Heat", configuration=wrong),
    ):
        assert (answer.status_code, answer.json().get("message", answer.json().get("detail"))) == (400, sentence)
    assert not Dashboard.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"title": "  "}, 400),
        ({"title": 5}, 400),
        ({"title": "x" * 256}, 400),
        ({"title": "x", "mobileOrder": "1"}, 400),
        ({"title": "x", "mobileOrder": 2**31}, 400),
        ({"title": "x", "mobileHide": "no"}, 400),
        ({"title": "x", "image": "x" * 1_000_001}, 400),
        ({"title": "x", "externalId": "x"}, 400),
        ({"title": "x", "configuration": {"description": "x" * LARGEST_CONFIGURATION}}, 413),
    ],
)
def test_what_a_dashboard_cannot_be_is_refused(cast: Cast, body: dict[str, Any], status: int) -> None:
    assert error(save(cast.alice, **body)) == (status, 31)


def test_a_dashboard_is_replaced_by_who_saw_its_newest_version(cast: Cast) -> None:
    first = save(cast.alice, title="Heat", configuration={"description": "old"}).json()
    second = save(cast.alice, **{**first, "title": "Light", "configuration": {"description": "new"}})
    assert (second.json()["title"], second.json()["version"]) == ("Light", 2)
    assert error(save(cast.alice, **{**first, "title": "Late"})) == (409, 35)
    assert save(cast.alice, **{**first, "title": "Forced", "version": None}).json()["version"] == 3
    found = Dashboard.objects.whole().get()
    assert (found.title, found.configuration) == ("Forced", '{"description":"old"}')


def test_nobody_says_by_a_body_whose_a_dashboard_is(cast: Cast) -> None:
    owners = {
        "tenantId": {"entityType": "TENANT", "id": str(cast.globex.pk)},
        "assignedCustomers": [{"customerId": {"entityType": "CUSTOMER", "id": str(cast.bistro.pk)}}],
    }
    saved = save(cast.alice, title="Heat", **owners).json()
    assert (saved["tenantId"]["id"], saved["assignedCustomers"]) == (str(cast.acme.pk), [])


def test_a_stranger_finds_no_dashboard_and_a_customers_user_changes_none(cast: Cast) -> None:
    dashboard = assign_dashboard(made(cast), cast.bistro)
    path, body = f"/api/dashboard/{dashboard.pk}", {"title": "Mine", "id": {"id": str(dashboard.pk)}}
    for user in (cast.gina, cast.sam):
        assert api(user).get(f"/api/dashboard/info/{dashboard.pk}").status_code == 404
    assert error(api(cast.gina).get(path)) == (404, 32)
    assert error(api(cast.gina).delete(path)) == (404, 32)
    assert error(save(cast.gina, **body)) == (404, 32)
    assert api(cast.bob).get(path).status_code == 200
    assert error(api(cast.bob).delete(path)) == (403, 20)
    assert error(save(cast.bob, **body)) == (403, 20)
    assert error(api(cast.sam).get(path)) == (403, 20)
    assert Dashboard.objects.get().title == "Heat"
    assert api(cast.alice).delete(path).status_code == 200
    assert error(api(cast.alice).get(path)) == (404, 32)


def titles(user: Any, path: str, **query: Any) -> list[str]:
    answer = api(user).get(path, {"pageSize": 10, "page": 0, "sortProperty": "title", "sortOrder": "ASC", **query})
    assert answer.status_code == 200, answer.content
    return [each["title"] for each in answer.json()["data"]]


def test_lists_are_paged_searched_and_sorted(cast: Cast) -> None:
    for title, order in (("Heat", 2), ("Light", None), ("Water", 1)):
        made(cast, title, mobile_order=order, mobile_hide=title == "Heat")
    create_dashboard(cast.globex.pk, DashboardFields(title="Theirs"))
    assert titles(cast.alice, "/api/tenant/dashboards") == ["Heat", "Light", "Water"]
    assert titles(cast.alice, "/api/tenant/dashboards", textSearch="EA") == ["Heat"]
    assert titles(cast.alice, "/api/tenant/dashboards", pageSize=2, page=1) == ["Water"]
    assert titles(cast.alice, "/api/tenant/dashboards", sortOrder="DESC") == ["Water", "Light", "Heat"]
    mobile = api(cast.alice).get("/api/tenant/dashboards?pageSize=10&page=0&mobile=true").json()["data"]
    assert [each["title"] for each in mobile] == ["Water", "Light"]
    for query in ("page=0", "pageSize=0&page=0", "pageSize=9&page=0&sortProperty=configuration"):
        assert error(api(cast.alice).get(f"/api/tenant/dashboards?{query}")) == (400, 31)
    assert error(api(cast.bob).get("/api/tenant/dashboards?pageSize=9&page=0")) == (403, 20)
    of_tenant = f"/api/tenant/{cast.acme.pk}/dashboards"
    assert titles(cast.sam, of_tenant) == ["Heat", "Light", "Water"]
    assert error(api(cast.alice).get(f"{of_tenant}?pageSize=9&page=0")) == (403, 20)
    assert error(api(cast.sam).get(f"/api/tenant/{new_id()}/dashboards?pageSize=9&page=0")) == (404, 32)


def test_a_list_costs_the_same_however_long_it_is_and_carries_nothing_large(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        assign_dashboard(made(cast, f"D{number}", image="x" * (65_534 + number)), cast.bistro)
    client = api(cast.alice)
    with django_assert_max_num_queries(5):  # user, count, page, customers, and whether the session has ended
        answer = client.get("/api/tenant/dashboards?pageSize=10&page=0&sortProperty=title&sortOrder=ASC")
    data = answer.json()["data"]
    assert [each["image"] is not None for each in data] == [True, True, True, False, False]
    assert all("configuration" not in each and len(each["assignedCustomers"]) == 1 for each in data)


def test_dashboards_are_asked_for_by_their_ids(cast: Cast) -> None:
    first, second = made(cast, "A"), made(cast, "B")
    foreign = create_dashboard(cast.globex.pk, DashboardFields(title="C"))
    ids = f"{second.pk},{foreign.pk},{first.pk}"
    for path in ("/api/dashboards", "/api/dashboards/list"):
        found = api(cast.alice).get(path, {"dashboardIds": ids}).json()
        assert [each["title"] for each in found] == ["B", "A"]
        assert error(api(cast.alice).get(path, {"dashboardIds": "x"})) == (400, 31)
        assert api(cast.bob).get(path, {"dashboardIds": ids}).json() == []
    assert error(api(cast.alice).get("/api/dashboards/list")) == (400, 31)
    ours = api(cast.alice).get("/api/dashboards?ordering=title").json()["results"]
    assert [each["title"] for each in ours] == ["A", "B"]


def test_a_tenant_has_as_many_dashboards_as_its_profile_allows(cast: Cast) -> None:
    profile = cast.acme.profile
    update_profile(profile, profile.name, profile_data={"configuration": {"maxDashboards": 1}})
    made(cast)
    assert error(save(cast.alice, title="Second")) == (403, 41)


def test_dashboards_go_with_their_tenant_and_outlive_their_customer(cast: Cast) -> None:
    dashboard = assign_dashboard(made(cast), cast.bistro)
    create_dashboard(cast.globex.pk, DashboardFields(title="Theirs"))
    delete_customer(cast.bistro)
    assert list(dashboard.customers.all()) == []
    delete_tenant(cast.acme)
    assert [each.title for each in Dashboard.objects.all()] == ["Theirs"]


def test_every_deed_is_in_the_audit_log_without_what_is_large(cast: Cast) -> None:
    saved = save(cast.alice, title="Heat", configuration={"description": "hidden words"}).json()
    save(cast.alice, **{**saved, "configuration": {}})
    path = f"/api/customer/{cast.bistro.pk}/dashboard/{saved['id']['id']}"
    api(cast.alice).post(path)
    api(cast.alice).post(path)  # which changes nothing
    api(cast.alice).delete(path)
    api(cast.alice).delete(f"/api/dashboard/{saved['id']['id']}")
    rows = AuditLog.objects.filter(entity_type="DASHBOARD").order_by("created_time", "pk")
    deeds = {row.action: row for row in rows}
    assert sorted(row.action for row in rows) == [
        "ADDED", "ASSIGNED_TO_CUSTOMER", "DELETED", "UNASSIGNED_FROM_CUSTOMER", "UPDATED",
    ]  # fmt: skip
    assert all(row.user_name == "alice@acme.example" and row.entity_name == "Heat" for row in rows)
    assert deeds["ASSIGNED_TO_CUSTOMER"].customer_id == cast.bistro.pk
    assert deeds["UPDATED"].data["after"]["configuration"].startswith("2 characters, SHA-256 ")
    assert "hidden words" not in json.dumps([row.data for row in rows])


def test_the_small_questions_have_answers(cast: Cast) -> None:
    assert api(cast.bob).get("/api/dashboard/serverTime").json() > 1_600_000_000_000
    assert api(cast.bob).get("/api/dashboard/maxDatapointsLimit").json() == 50_000


def test_the_home_dashboard_is_the_users_else_the_customers_else_the_tenants(cast: Cast) -> None:
    alice, bob = api(cast.alice), api(cast.bob)
    assert bob.get("/api/dashboard/home").content == b""
    heat, light = assign_dashboard(made(cast), cast.bistro), made(cast, "Light")
    home = {"dashboardId": {"entityType": "DASHBOARD", "id": str(light.pk)}, "hideDashboardToolbar": False}
    assert create(alice, "/api/tenant/dashboard/home/info", **home).status_code == 200
    assert alice.get("/api/tenant/dashboard/home/info").json() == home
    assert (alice.get("/api/dashboard/home").json()["title"], bob.get("/api/dashboard/home").content) == ("Light", b"")
    cast.bistro.additional_info = {"homeDashboardId": str(heat.pk)}
    cast.bistro.save()
    told = bob.get("/api/dashboard/home").json()
    assert (told["title"], told["hideDashboardToolbar"], "configuration" in told) == ("Heat", True, True)
    assert bob.get("/api/dashboard/home/info").json()["dashboardId"]["id"] == str(heat.pk)
    foreign = create_dashboard(cast.globex.pk, DashboardFields(title="Theirs"))
    wrong = {"dashboardId": {"entityType": "DASHBOARD", "id": str(foreign.pk)}}
    assert error(create(alice, "/api/tenant/dashboard/home/info", **wrong)) == (404, 32)
    nothing = {"dashboardId": {"entityType": "DASHBOARD", "id": str(NULL_UUID)}}
    assert create(alice, "/api/tenant/dashboard/home/info", **nothing).status_code == 200
    assert alice.get("/api/dashboard/home").content == b""


def test_a_customers_user_learns_of_no_other_customer(cast: Cast) -> None:
    dashboard = made(cast)
    for customer in (cast.bistro, create_customer(cast.acme, "Another")):
        assign_dashboard(dashboard, customer)
    path = f"/api/dashboard/{dashboard.pk}"
    assert [each["title"] for each in api(cast.alice).get(path).json()["assignedCustomers"]] == ["Another", "Bistro"]
    for answer in (api(cast.bob).get(path), api(cast.bob).get(f"/api/dashboard/info/{dashboard.pk}")):
        assert [each["title"] for each in answer.json()["assignedCustomers"]] == ["Bistro"]
