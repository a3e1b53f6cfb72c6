"""Tenants and their profiles over both API families."""

from typing import Any

import pytest

from devices.models import Device, DeviceProfile
from tenants.models import AuditLog, Tenant, TenantProfile, User
from tenants.services.tenants import create_profile, default_profile
from tests.cast import Cast, api, create, error
from thingsboard.kernel.ids import new_id

PAGE = "pageSize=10&page=0"


def named(answer: Any) -> list[str]:
    """The names of a page of either family."""
    body = answer.json()
    return [row["name"] for row in body["data" if "data" in body else "results"]]


def test_a_tenant_is_made_with_what_every_tenant_has_read_changed_and_deleted(cast: Cast) -> None:
    client = api(cast.sam)
    made = create(client, "/api/tenant", title="Initech", region="EU", country="DE", email="a@b.example").json()
    assert made["id"]["entityType"] == "TENANT" and made["name"] == made["title"] == "Initech"
    assert (made["country"], made["email"], made["city"], made["version"]) == ("DE", "a@b.example", None, 1)
    assert made["tenantProfileId"] == {"entityType": "TENANT_PROFILE", "id": str(default_profile().pk)}
    path = f"/api/tenant/{made['id']['id']}"
    assert client.get(path).json() == made
    assert DeviceProfile.objects.filter(tenant_id=made["id"]["id"], is_default=True).count() == 1
    changed = create(client, "/api/tenant", **{**made, "title": "Initrode", "country": None}).json()
    assert (changed["id"], changed["title"], changed["country"], changed["version"]) == (
        made["id"],
        "Initrode",
        None,
        2,
    )
    assert error(create(client, "/api/tenant", **made)) == (409, 35)  # an older version
    assert client.delete(path).content == b"" and error(client.get(path)) == (404, 32)


def test_a_tenant_goes_with_all_that_it_owns_and_nobody_elses(cast: Cast) -> None:
    assert cast.bob and cast.bobs_device and cast.foreign_device and cast.gina
    alice = api(cast.alice)
    assert api(cast.sam).delete(f"/api/v1/tenants/{cast.acme.pk}").status_code == 204
    assert alice.get("/api/auth/user").status_code == 401
    assert [device.tenant_id for device in Device.objects.all()] == [cast.globex.pk]
    assert not User.objects.filter(tenant_id=cast.acme.pk).exists()
    told = AuditLog.objects.get(action="DELETED", entity_id=cast.acme.pk)
    assert (told.user_name, told.tenant_id, told.entity_name) == ("sam@example.com", None, "Acme")


def test_a_tenant_administrator_reads_its_own_tenant_and_changes_none(cast: Cast) -> None:
    client = api(cast.alice)
    assert client.get(f"/api/tenant/{cast.acme.pk}").json()["title"] == "Acme"
    assert client.get(f"/api/tenant/info/{cast.acme.pk}").json()["tenantProfileName"] == "Default"
    assert error(client.get(f"/api/tenant/{cast.globex.pk}")) == (404, 32)
    assert error(client.delete(f"/api/tenant/{cast.acme.pk}")) == (403, 20)
    assert error(create(client, "/api/tenant", title="Mine")) == (403, 20)
    assert error(client.get(f"/api/tenants?{PAGE}")) == (403, 20)
    both = f"tenantIds={cast.acme.pk},{cast.globex.pk}"
    assert [row["title"] for row in client.get(f"/api/tenants?{both}").json()] == ["Acme"]
    assert client.get("/api/v1/tenants").json()["count"] == 1
    assert client.put(f"/api/v1/tenants/{cast.acme.pk}", {"title": "x"}, format="json").status_code == 403
    assert client.get(f"/api/v1/tenants/{cast.globex.pk}").status_code == 404


def test_the_page_that_a_browser_sees_names_no_profile_of_others(cast: Cast) -> None:
    create_profile("Secret plan of Globex")
    page = api(cast.alice).get("/api/v1/tenants", HTTP_ACCEPT="text/html")
    assert page["Content-Type"].startswith("text/html") and "Acme" in page.content.decode()
    assert "Secret plan" not in page.content.decode()


def test_tenants_are_listed_searched_and_sorted_in_both_families(cast: Cast) -> None:
    client = api(cast.sam)
    create(client, "/api/tenant", title="Initech", region="EU")
    assert named(client.get(f"/api/tenants?{PAGE}&sortProperty=title&sortOrder=ASC")) == ["Acme", "Globex", "Initech"]
    assert named(client.get(f"/api/tenantInfos?{PAGE}&textSearch=EU")) == ["Initech"]
    assert error(client.get(f"/api/tenants?{PAGE}&sortProperty=password")) == (400, 31)
    for path in ("/api/v1/tenants", "/api/tenants"):
        assert named(client.get(f"{path}?ordering=-title&limit=2")) == ["Initech", "Globex"]
        assert named(client.get(f"{path}?ordering=title&limit=2&offset=2")) == ["Initech"]
        assert named(client.get(f"{path}?search=acm")) == named(client.get(f"{path}?title=Acme")) == ["Acme"]
        answer = client.get(f"{path}?ordering=password")
        assert (answer.status_code, answer.json()["status_code"]) == (400, 400)
    profile = default_profile().pk
    assert client.get(f"/api/v1/tenants?tenant_profile_id={profile}").json()["count"] == 3
    assert client.get(f"/api/v1/tenants?tenant_profile_id={new_id()}").json()["count"] == 0
    page = client.get("/api/v1/tenants?limit=1&ordering=title").json()
    assert page["count"] == 3 and page["previous"] is None
    assert named(client.get(page["next"])) == ["Globex"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "title should be specified"),
        ({"title": " "}, "title should be specified"),
        ({"title": "x" * 256}, "255"),
        ({"title": 5}, "title: expected a text"),
        ({"title": "x", "email": "nobody"}, "Invalid email address format 'nobody'"),
        ({"title": "x", "tenantProfileId": {"id": str(new_id())}}, "non existing tenant profile"),
        ({"title": "x", "additionalInfo": []}, "additionalInfo: expected an object"),
    ],
)
def test_what_cannot_be_a_tenant_is_refused_in_words(cast: Cast, body: dict[str, Any], says: str) -> None:
    before = Tenant.objects.count()
    answer = create(api(cast.sam), "/api/tenant", **body)
    assert error(answer) == (400, 31) and says in answer.json()["message"]
    assert Tenant.objects.count() == before


def test_our_own_tenants_take_a_profile_and_replace_everything_but_it(cast: Cast) -> None:
    client, small = api(cast.sam), create_profile("Small", isolated_rule_engine=True)
    made = create(client, "/api/v1/tenants", title="Initech", city="Bonn", tenant_profile_id=str(small.pk)).json()
    assert (made["name"], made["city"], made["isolated"], made["version"]) == ("Initech", "Bonn", True, 1)
    path = f"/api/v1/tenants/{made['id']}"
    changed = client.put(path, {"title": "Initech", "version": 1}, format="json").json()
    assert (changed["city"], changed["tenant_profile_name"], changed["version"]) == ("", "Small", 2)
    assert client.put(path, {"title": "Initech", "version": 1}, format="json").status_code == 409
    answer = client.put(path, {"title": ""}, format="json")
    assert (answer.status_code, "title" in answer.json()["detail"]) == (400, True)
    assert client.get(f"/api/tenants/{made['id']}").json() == changed
    assert client.delete(path).status_code == 204 and client.get(path).status_code == 404


def test_one_tenant_profile_is_the_default_and_none_that_is_used_goes(cast: Cast) -> None:
    client, first = api(cast.sam), default_profile()
    made = create(client, "/api/tenantProfile", name="Small", profileData={"configuration": {"maxDevices": 1}}).json()
    key = made["id"]["id"]
    assert (made["default"], made["isolatedTbRuleEngine"], made["version"]) == (False, False, 1)
    assert made["profileData"]["configuration"]["maxDevices"] == 1
    assert error(client.delete(f"/api/tenantProfile/{first.pk}")) == (400, 31)
    assert client.post(f"/api/tenantProfile/{key}/default").json()["default"] is True
    assert client.get("/api/tenantProfileInfo/default").json() == {"id": made["id"], "name": "Small"}
    assert list(TenantProfile.objects.filter(is_default=True).values_list("name", flat=True)) == ["Small"]
    assert error(client.delete(f"/api/tenantProfile/{first.pk}")) == (400, 31)  # Acme and Globex have it
    assert error(client.delete(f"/api/tenantProfile/{key}")) == (400, 31)  # the default one
    assert named(client.get(f"/api/tenantProfiles?{PAGE}&textSearch=sma")) == ["Small"]
    assert [each["name"] for each in client.get(f"/api/tenantProfiles?ids={key}").json()] == ["Small"]
    assert create(client, "/api/tenantProfile", name="Small").json()["message"].endswith("already exists!")


@pytest.mark.parametrize("value", [-1, "x", 1.5, True, 2**60])
def test_a_limit_that_is_none_is_refused_in_both_families(cast: Cast, value: object) -> None:
    data = {"configuration": {"maxDevices": value}}
    ours = create(api(cast.sam), "/api/v1/tenantProfiles", name="Odd", profile_data=data)
    theirs = create(api(cast.sam), "/api/tenantProfile", name="Odd", profileData=data)
    assert error(theirs) == (400, 31) and ours.status_code == 400
    assert "maxDevices: expected a whole number from 0" in ours.json()["detail"]


def test_the_limits_of_a_profile_hold_for_devices_customers_and_both_families(cast: Cast) -> None:
    client = api(cast.sam)
    made = create(
        client,
        "/api/v1/tenantProfiles",
        name="Small",
        profile_data={"configuration": {"maxDevices": 1, "maxCustomers": 1}},
    ).json()
    client.put(f"/api/v1/tenants/{cast.acme.pk}", {"title": "Acme", "tenant_profile_id": made["id"]}, format="json")
    assert cast.device and cast.bistro
    alice = api(cast.alice)
    assert error(create(alice, name="Second")) == (403, 41)
    refused = create(alice, "/api/v1/devices", name="Second")
    assert (refused.status_code, refused.json()["entityType"], refused.json()["limit"]) == (403, "DEVICE", 1)
    assert error(create(alice, "/api/customer", title="Second")) == (403, 41)
