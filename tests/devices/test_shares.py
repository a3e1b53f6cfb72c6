"""Who sees and controls what it does not own: shares of devices and groups, and what is never shared."""

import pytest

from devices.models import Device
from devices.services.groups import add_devices, create_device_group, delete_device_group, remove_devices
from devices.services.shares import Share, share_with, shares_of, withdraw_from
from tenants.models import AuditLog, Authority
from tenants.services.customers import create_customer
from tenants.services.groups import add_members, create_user_group, delete_user_group, remove_members
from tenants.services.users import create_user
from tests.cast import Cast, api
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import BadRequest


def sees(user: object, device: Device) -> bool:
    """Through the public door: reading it, and finding it in the list."""
    one = api(user).get(f"/api/device/{device.pk}").status_code  # type: ignore[arg-type]
    assert one in (200, 404)
    return one == 200


def writes(user: object, device: Device) -> int:
    path = f"/api/plugins/telemetry/DEVICE/{device.pk}/timeseries/ANY"
    return api(user).post(path, {"setpoint": 21}, format="json").status_code  # type: ignore[arg-type]


def test_a_shared_device_is_seen_but_not_controlled_and_its_token_stays_secret(cast: Cast) -> None:
    assert not sees(cast.bob, cast.device)
    share_with(cast.device, cast.bob, Action.VIEW)
    assert sees(cast.bob, cast.device)
    assert writes(cast.bob, cast.device) == 403
    assert api(cast.bob).get(f"/api/device/{cast.device.pk}/credentials").status_code == 404
    body = {"id": {"entityType": "DEVICE", "id": str(cast.device.pk)}, "name": "Mine", "type": "default"}
    assert api(cast.bob).post("/api/device", body, format="json").status_code == 403


def test_control_lets_values_be_written_but_nothing_be_changed(cast: Cast) -> None:
    share_with(cast.device, cast.bob, Action.CONTROL)
    assert sees(cast.bob, cast.device)
    assert writes(cast.bob, cast.device) == 200
    body = {"id": {"entityType": "DEVICE", "id": str(cast.device.pk)}, "name": "Mine", "type": "default"}
    assert api(cast.bob).post("/api/device", body, format="json").status_code == 403
    assert api(cast.bob).get(f"/api/device/{cast.device.pk}/credentials").status_code == 404


def test_what_is_withdrawn_is_gone_at_once(cast: Cast) -> None:
    share_with(cast.device, cast.bob, Action.CONTROL)
    client = api(cast.bob)
    assert client.get(f"/api/device/{cast.device.pk}").status_code == 200
    withdraw_from(cast.device, cast.bob)
    assert client.get(f"/api/device/{cast.device.pk}").status_code == 404
    assert writes(cast.bob, cast.device) == 404


def test_a_later_share_replaces_the_earlier_one(cast: Cast) -> None:
    share_with(cast.device, cast.bob, Action.CONTROL)
    share_with(cast.device, cast.bob, Action.VIEW)
    assert shares_of(cast.device) == [Share(cast.bob, Action.VIEW)]
    assert writes(cast.bob, cast.device) == 403


def test_a_group_of_devices_shared_with_a_group_of_users_follows_both_memberships(cast: Cast) -> None:
    friends = create_user_group(cast.acme.pk, "Friends")
    kitchen = create_device_group(cast.acme.pk, "Kitchen")
    share_with(kitchen, friends, Action.CONTROL)
    assert shares_of(kitchen) == [Share(friends, Action.CONTROL)]
    add_devices(kitchen, [cast.device.pk])
    assert not sees(cast.bob, cast.device)
    add_members(friends, [cast.bob.pk])
    assert sees(cast.bob, cast.device)
    assert writes(cast.bob, cast.device) == 200
    remove_devices(kitchen, [cast.device.pk])
    assert not sees(cast.bob, cast.device)
    add_devices(kitchen, [cast.device.pk])
    remove_members(friends, [cast.bob.pk])
    assert not sees(cast.bob, cast.device)


@pytest.mark.parametrize("end", ["the group of devices", "the group of users"])
def test_deleting_a_group_ends_what_was_shared_through_it(cast: Cast, end: str) -> None:
    friends, kitchen = create_user_group(cast.acme.pk, "Friends"), create_device_group(cast.acme.pk, "Kitchen")
    add_devices(kitchen, [cast.device.pk])
    add_members(friends, [cast.bob.pk])
    share_with(kitchen, friends, Action.VIEW)
    assert sees(cast.bob, cast.device)
    if end == "the group of devices":
        delete_device_group(kitchen)
    else:
        delete_user_group(friends)
    assert not sees(cast.bob, cast.device)
    assert Device.objects.filter(pk=cast.device.pk).exists()


def test_nothing_is_shared_beyond_the_tenant(cast: Cast) -> None:
    stranger = create_user(
        "guest@globex.example", Authority.CUSTOMER_USER, customer=create_customer(cast.globex, "Guests")
    )
    friends, theirs = create_user_group(cast.acme.pk, "Friends"), create_user_group(cast.globex.pk, "Friends")
    for holder in (stranger, theirs, cast.gina):
        with pytest.raises(BadRequest, match="within its tenant"):
            share_with(cast.device, holder, Action.VIEW)
    with pytest.raises(BadRequest, match="Not a customer user of this tenant"):
        add_members(friends, [stranger.pk])
    with pytest.raises(BadRequest, match="Not a device of this tenant"):
        add_devices(create_device_group(cast.acme.pk, "Kitchen"), [cast.foreign_device.pk])


def test_a_row_that_shares_beyond_the_tenant_shows_nothing(cast: Cast) -> None:
    # As if somebody had written into the table: the gate itself holds.
    from tenants.access import share

    stranger = create_user(
        "guest@globex.example", Authority.CUSTOMER_USER, customer=create_customer(cast.globex, "Guests")
    )
    share(cast.device, stranger, Action.CONTROL)
    assert not sees(stranger, cast.device)


def test_an_administrator_needs_no_share_and_management_cannot_be_shared(cast: Cast) -> None:
    with pytest.raises(BadRequest, match="customer users"):
        share_with(cast.device, cast.alice, Action.VIEW)
    with pytest.raises(BadRequest, match="view or control"):
        share_with(cast.device, cast.bob, Action.MANAGE)


def test_a_user_that_is_switched_off_sees_nothing_that_was_shared(cast: Cast) -> None:
    share_with(cast.device, cast.bob, Action.VIEW)
    cast.bob.is_active = False
    assert not Device.objects.visible_to(cast.bob).exists()


def test_sharing_is_in_the_audit_log(cast: Cast) -> None:
    share_with(cast.device, cast.bob, Action.VIEW)
    withdraw_from(cast.device, cast.bob)
    rows = AuditLog.objects.filter(entity_id=cast.device.pk, action__in=["SHARED", "UNSHARED"]).order_by("created_time")
    assert [(row.action, row.data) for row in rows] == [
        ("SHARED", {"after": {"with": "bob@bistro.example", "action": "view"}}),
        ("UNSHARED", {"before": {"with": "bob@bistro.example"}}),
    ]
