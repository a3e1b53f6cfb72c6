"""The list of dashboards, the page of one and its editor: who sees what."""

import re
from typing import Any

from dashboards.models import Dashboard
from dashboards.services.dashboards import DashboardFields, assign_dashboard, create_dashboard
from tenants.models import User
from tenants.services.customers import create_customer
from tests.cast import Cast
from tests.dashboards.test_devices import browser


def made(cast: Cast, title: str = "Heat", **more: Any) -> Dashboard:
    return create_dashboard(cast.acme.pk, DashboardFields(title=title, **more))


def listed(user: User, **query: Any) -> list[str]:
    answer = browser(user).get("/dashboards", query)
    assert answer.status_code == 200
    return [dashboard.title for dashboard in answer.context["found"]]


def statuses(user: User, dashboard: Dashboard) -> list[int]:
    """Of the page, of its editor, and of the editor of a new one."""
    client = browser(user)
    paths = (f"/dashboards/{dashboard.pk}", f"/dashboards/{dashboard.pk}/edit", "/dashboards/new")
    return [client.get(path).status_code for path in paths]


def test_administrators_see_and_edit_all_customers_users_look_at_what_is_assigned(cast: Cast) -> None:
    heat, light = made(cast), assign_dashboard(made(cast, "Light"), cast.bistro)
    create_dashboard(cast.globex.pk, DashboardFields(title="Theirs"))
    assert (listed(cast.alice), listed(cast.bob), listed(cast.gina)) == (["Heat", "Light"], ["Light"], ["Theirs"])
    assert (statuses(cast.alice, heat), statuses(cast.alice, light)) == ([200] * 3, [200] * 3)
    assert (statuses(cast.bob, heat), statuses(cast.bob, light)) == ([404] * 3, [200, 404, 404])
    assert statuses(cast.gina, heat) == [404, 404, 200]
    assert statuses(cast.sam, heat) == [404, 404, 404]
    assert browser(cast.sam).get("/dashboards").url == "/"  # type: ignore[attr-defined]
    assert b"Edit" not in browser(cast.bob).get(f"/dashboards/{light.pk}").content


def test_a_customers_user_reads_of_no_other_customer(cast: Cast) -> None:
    dashboard = made(cast)
    for customer in (cast.bistro, create_customer(cast.acme, "Rival")):
        assign_dashboard(dashboard, customer)
    assert b"Bistro, Rival" in browser(cast.alice).get("/dashboards").content
    assert b"Rival" not in browser(cast.bob).get("/dashboards").content


def test_the_list_is_searched_and_paged_at_the_same_cost(cast: Cast, django_assert_num_queries: Any) -> None:
    for number in range(30):
        made(cast, f"D{number:02}")
    client = browser(cast.alice)
    with django_assert_num_queries(5):  # session, user, count, page, customers
        client.get("/dashboards")
    assert listed(cast.alice, page=2) == [f"D{number:02}" for number in range(25, 30)]
    assert listed(cast.alice, search="d07\0") == ["D07"]
    assert listed(cast.alice, search="%") == []


def test_what_people_typed_is_text_on_the_pages(cast: Cast) -> None:
    evil = "</textarea></script><script>alert(1)</script>"
    dashboard = made(cast, evil, configuration={"description": evil})
    for path in (
        "/dashboards",
        f"/dashboards/{dashboard.pk}",
        f"/dashboards/{dashboard.pk}/edit",
        f"/dashboards?search={evil}",
    ):
        answer = browser(cast.alice).get(path)
        assert answer.status_code == 200 and "<script>alert" not in answer.content.decode()
        assert "script-src 'self'" in answer["Content-Security-Policy"]


def test_the_editor_holds_every_digit_of_the_configuration(cast: Cast) -> None:
    dashboard = made(cast, configuration={"big": 2**53 + 1, "small": 1.0, "text": "°C & <b>"})
    page = browser(cast.alice).get(f"/dashboards/{dashboard.pk}/edit").content.decode()
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert found
    expected = '{\n  "big": 9007199254740993,\n  "small": 1.0,\n  "text": "°C & <b>"\n}'
    assert found[1].replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == expected
