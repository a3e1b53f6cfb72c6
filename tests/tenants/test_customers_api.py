"""Customers over both API families."""

from typing import Any

import pytest

from devices.services.assignments import publish
from tenants.models import AuditLog, Customer, User
from tests.cast import Cast, api, create, error

PAGE = "pageSize=10&page=0"


def test_a_customer_is_made_read_changed_and_deleted_with_its_users(cast: Cast) -> None:
    client = api(cast.alice)
    made = create(client, "/api/customer", title="Canteen", city="Bonn", additionalInfo={"description": "d"}).json()
    assert made["tenantId"] == {"entityType": "TENANT", "id": str(cast.acme.pk)}
    assert (made["name"], made["city"], made["country"], made["version"]) == ("Canteen", "Bonn", None, 1)
    path = f"/api/customer/{made['id']['id']}"
    assert client.get(path).json() == made
    assert client.get(f"{path}/shortInfo").json() == {"title": "Canteen", "isPublic": False}
    title = client.get(f"{path}/title")
    assert (title.content, title["Content-Type"].split(";")[0]) == (b"Canteen", "application/text")
    changed = create(client, "/api/customer", **{**made, "title": "Mensa"}).json()
    assert (changed["id"], changed["title"], changed["version"]) == (made["id"], "Mensa", 2)
    assert error(create(client, "/api/customer", **made)) == (409, 35)
    assert client.delete(path).status_code == 200 and error(client.get(path)) == (404, 32)


def test_a_customer_that_goes_takes_its_users_along_and_leaves_its_devices(cast: Cast) -> None:
    bob, alice = api(cast.bob), api(cast.alice)
    assert cast.bobs_device
    assert alice.delete(f"/api/v1/customers/{cast.bistro.pk}").status_code == 204
    assert bob.get("/api/auth/user").status_code == 401
    assert not User.objects.filter(email="bob@bistro.example").exists()
    left = alice.get(f"/api/v1/devices/{cast.bobs_device.pk}").json()
    assert (left["name"], left["customer_id"]) == ("Oven", None)


def test_a_customer_user_sees_its_own_customer_and_changes_none(cast: Cast) -> None:
    other = Customer.objects.create(tenant=cast.acme, title="Canteen")
    client = api(cast.bob)
    assert client.get(f"/api/customer/{cast.bistro.pk}").json()["title"] == "Bistro"
    assert error(client.get(f"/api/customer/{other.pk}")) == (404, 32)
    assert error(client.get(f"/api/customer/{other.pk}/title")) == (404, 32)
    assert error(client.delete(f"/api/customer/{cast.bistro.pk}")) == (403, 20)
    assert error(create(client, "/api/customer", title="Mine")) == (403, 20)
    assert error(client.get(f"/api/customers?{PAGE}")) == (403, 20)
    assert [row["title"] for row in client.get("/api/v1/customers").json()["results"]] == ["Bistro"]


def test_customers_are_listed_and_found_by_title_and_by_ids(cast: Cast) -> None:
    client, foreign = api(cast.alice), Customer.objects.create(tenant=cast.globex, title="Bistro")
    assert cast.bistro
    for title in ("Canteen", "Mensa"):
        create(client, "/api/customer", title=title, country="FR" if title == "Mensa" else "")
    page = client.get(f"/api/customers?{PAGE}&sortProperty=title&sortOrder=ASC").json()
    assert [row["title"] for row in page["data"]] == ["Bistro", "Canteen", "Mensa"]
    assert client.get("/api/tenant/customers?customerTitle=Bistro").json()["id"]["id"] == str(cast.bistro.pk)
    assert error(client.get("/api/tenant/customers?customerTitle=Nowhere")) == (404, 32)
    for path in ("/api/customers", "/api/customers/list"):
        found = client.get(f"{path}?customerIds={cast.bistro.pk},{foreign.pk}").json()
        assert [row["id"]["id"] for row in found] == [str(cast.bistro.pk)]
    ours = client.get("/api/v1/customers?country=FR").json()
    assert (ours["count"], [row["name"] for row in ours["results"]]) == (1, ["Mensa"])
    newest = client.get("/api/customers?limit=1").json()["results"][0]["title"]
    assert newest == "Mensa"


@pytest.mark.parametrize("path", ["/api/customer", "/api/v1/customers"])
def test_a_taken_title_is_refused(cast: Cast, path: str) -> None:
    assert cast.bistro
    answer = create(api(cast.alice), path, title="Bistro")
    assert answer.status_code == 400 and "Customer with such title already exists!" in answer.content.decode()


def test_a_taken_title_is_made_unique_on_request(cast: Cast) -> None:
    client, ask = api(cast.alice), "/api/customer?nameConflictPolicy=UNIQUIFY"
    assert create(client, ask, title="Mensa").json()["title"] == "Mensa"
    random = create(client, ask, title="Mensa").json()["title"]
    assert random.startswith("Mensa_") and len(random) == len("Mensa_") + 6
    counted = f"{ask}&uniquifyStrategy=INCREMENTAL&uniquifySeparator=-"
    assert [create(client, counted, title="Mensa").json()["title"] for _ in range(2)] == ["Mensa-1", "Mensa-2"]
    for wrong in ("nameConflictPolicy=MAYBE", "nameConflictPolicy=UNIQUIFY&uniquifyStrategy=X"):
        assert error(create(client, f"/api/customer?{wrong}", title="Mensa")) == (400, 31)


def test_nobody_makes_a_customer_public_by_hand_or_changes_the_public_one(cast: Cast) -> None:
    client, info = api(cast.alice), {"isPublic": True}
    refused: list[Any] = [
        create(client, "/api/customer", title="Everybody", additionalInfo=info),
        create(client, "/api/v1/customers", title="Everybody", additional_info=info),
    ]
    public = publish(cast.device).customer
    assert public is not None
    assert client.get(f"/api/customer/{public.pk}/shortInfo").json() == {"title": "Public", "isPublic": True}
    refused.append(client.put(f"/api/v1/customers/{public.pk}", {"title": "Ours"}, format="json"))
    assert [answer.status_code for answer in refused] == [400, 400, 400]


def test_every_deed_is_in_the_audit_log_with_who_and_what_changed(cast: Cast) -> None:
    client = api(cast.alice)
    made = create(client, "/api/v1/customers", title="Canteen", city="Bonn").json()
    client.put(f"/api/v1/customers/{made['id']}", {"title": "Mensa", "city": "Bonn"}, format="json")
    client.delete(f"/api/v1/customers/{made['id']}")
    rows = AuditLog.objects.filter(entity_id=made["id"]).order_by("created_time", "id")
    assert [(row.action, row.user_name) for row in rows] == [
        (action, "alice@acme.example") for action in ("ADDED", "UPDATED", "DELETED")
    ]
    assert rows[1].data == {"before": {"title": "Canteen"}, "after": {"title": "Mensa"}}
    assert create(client, "/api/v1/customers", title="Bistro").status_code == 201
    assert create(client, "/api/v1/customers", title="Bistro").status_code == 400
    failed = AuditLog.objects.get(success=False)
    assert (failed.entity_name, failed.failure) == ("Bistro", "Customer with such title already exists!")
