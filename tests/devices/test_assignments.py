"""Whose a device is: assigning it to customers, to everybody, and what a customer user may do with it then."""

from devices.services.devices import DeviceFields, create_device
from tenants.models import AuditLog, Customer
from tests.cast import Cast, api, create, error
from thingsboard.kernel.ids import NULL_UUID

PAGE = "pageSize=10&page=0"


def test_a_device_is_assigned_and_taken_back_with_effect_at_once(cast: Cast) -> None:
    alice, bob, key = api(cast.alice), api(cast.bob), cast.device.pk
    assert error(bob.get(f"/api/device/{key}")) == (404, 32)
    given = alice.post(f"/api/customer/{cast.bistro.pk}/device/{key}").json()
    assert (given["customerId"]["id"], given["version"]) == (str(cast.bistro.pk), 2)
    assert bob.get(f"/api/device/{key}").json() == given
    taken = alice.delete(f"/api/customer/device/{key}").json()
    assert taken["customerId"] == {"entityType": "CUSTOMER", "id": str(NULL_UUID)}
    assert error(bob.get(f"/api/device/{key}")) == (404, 32)
    assert error(alice.delete(f"/api/customer/device/{key}")) == (400, 31)  # nobody has it
    rows = AuditLog.objects.filter(entity_id=key, action__contains="_CUSTOMER").order_by("created_time", "id")
    assert [(row.action, row.customer_id) for row in rows] == [
        ("ASSIGNED_TO_CUSTOMER", cast.bistro.pk),
        ("UNASSIGNED_FROM_CUSTOMER", cast.bistro.pk),
    ]


def test_our_own_api_assigns_likewise(cast: Cast) -> None:
    alice, path = api(cast.alice), f"/api/v1/devices/{cast.device.pk}/customer"
    given = alice.put(path, {"customer_id": str(cast.bistro.pk)}, format="json")
    assert (given.status_code, given.json()["customer_id"]) == (200, str(cast.bistro.pk))
    assert alice.delete(path).status_code == 204
    assert alice.delete(path).status_code == 400
    elsewhere = Customer.objects.create(tenant=cast.globex, title="Elsewhere")
    refused = alice.put(path, {"customer_id": str(elsewhere.pk)}, format="json")
    assert (refused.status_code, "Elsewhere" in refused.json()["detail"]) == (400, False)
    assert api(cast.bob).put(path, {"customer_id": str(cast.bistro.pk)}, format="json").status_code in {403, 404}


def test_another_tenants_device_or_customer_is_not_found(cast: Cast) -> None:
    alice, elsewhere = api(cast.alice), Customer.objects.create(tenant=cast.globex, title="Elsewhere")
    for customer, device in ((elsewhere.pk, cast.device.pk), (cast.bistro.pk, cast.foreign_device.pk)):
        assert error(alice.post(f"/api/customer/{customer}/device/{device}")) == (404, 32)
    assert error(alice.post(f"/api/customer/public/device/{cast.foreign_device.pk}")) == (404, 32)
    assert error(alice.get(f"/api/customer/{elsewhere.pk}/devices?{PAGE}")) == (404, 32)


def test_the_first_public_device_makes_the_public_customer_and_others_join_it(cast: Cast) -> None:
    alice = api(cast.alice)
    second = create_device(cast.acme.pk, DeviceFields(name="Second"))
    answers = [alice.post(f"/api/customer/public/device/{device.pk}").json() for device in (cast.device, second)]
    assert answers[0]["customerId"] == answers[1]["customerId"]
    info = alice.get(f"/api/device/info/{cast.device.pk}").json()
    assert (info["customerTitle"], info["customerIsPublic"]) == ("Public", True)
    assert Customer.objects.filter(tenant=cast.acme, title="Public").count() == 1


def test_a_customer_called_public_does_not_become_everybodys(cast: Cast) -> None:
    alice = api(cast.alice)
    create(alice, "/api/customer", title="Public")
    assert error(alice.post(f"/api/customer/public/device/{cast.device.pk}")) == (400, 31)
    assert alice.get(f"/api/device/{cast.device.pk}").json()["customerId"]["id"] == str(NULL_UUID)


def test_a_customers_devices_are_listed_for_its_users_and_administrators(cast: Cast) -> None:
    assert cast.bobs_device and cast.device
    for user in (cast.bob, cast.alice):
        client = api(user)
        for path in ("devices", "deviceInfos"):
            page = client.get(f"/api/customer/{cast.bistro.pk}/{path}?{PAGE}").json()
            assert [row["name"] for row in page["data"]] == ["Oven"]
    other = Customer.objects.create(tenant=cast.acme, title="Canteen")
    assert error(api(cast.bob).get(f"/api/customer/{other.pk}/devices?{PAGE}")) == (404, 32)
    assert error(api(cast.bob).get(f"/api/tenant/devices?{PAGE}")) == (403, 20)


def test_a_customer_user_changes_its_device_but_makes_and_deletes_none(cast: Cast) -> None:
    bob, key = api(cast.bob), str(cast.bobs_device.pk)
    changed = create(bob, id={"entityType": "DEVICE", "id": key}, name="Oven", label="hot").json()
    assert (changed["label"], changed["customerId"]["id"]) == ("hot", str(cast.bistro.pk))
    assert bob.put(f"/api/v1/devices/{key}", {"name": "Oven", "label": "cold"}, format="json").json()["label"] == "cold"
    assert error(create(bob, name="Mine")) == (403, 20)
    assert error(bob.delete(f"/api/device/{key}")) == (403, 20)
    assert bob.delete(f"/api/v1/devices/{key}").status_code == 403
    assert bob.post("/api/v1/devices", {"name": "Mine"}, format="json").status_code == 403
