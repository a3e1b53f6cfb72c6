"""/api/v1/deviceGroups and /api/v1/userGroups: the way to share, as a client goes it."""

import pytest

from tenants.models import UserGroup
from tests.cast import Cast, api
from thingsboard.kernel.ids import new_id


def make(user: object, kind: str, name: str) -> str:
    answer = api(user).post(f"/api/v1/{kind}", {"name": name}, format="json")  # type: ignore[arg-type]
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def test_a_group_of_devices_is_shared_with_a_group_of_users_from_end_to_end(cast: Cast) -> None:
    alice, bob = api(cast.alice), api(cast.bob)
    kitchen, friends = make(cast.alice, "deviceGroups", "Kitchen"), make(cast.alice, "userGroups", "Friends")
    members = {"ids": [str(cast.device.pk)]}
    assert alice.post(f"/api/v1/deviceGroups/{kitchen}/members/add", members, format="json").status_code == 204
    members = {"ids": [str(cast.bob.pk)]}
    assert alice.post(f"/api/v1/userGroups/{friends}/members/add", members, format="json").status_code == 204
    assert bob.get("/api/v1/deviceGroups").json()["count"] == 0
    share = {"user_group": friends, "action": "view"}
    answer = alice.post(f"/api/v1/deviceGroups/{kitchen}/shares", share, format="json")
    assert (answer.status_code, answer.json()) == (200, [{"user_group": friends, "name": "Friends", "action": "view"}])
    assert [each["id"] for each in bob.get("/api/v1/deviceGroups").json()["results"]] == [kitchen]
    seen = bob.get(f"/api/v1/deviceGroups/{kitchen}/members").json()
    assert [each["name"] for each in seen["results"]] == ["Meter"]
    assert bob.get(f"/api/device/{cast.device.pk}").status_code == 200
    assert alice.delete(f"/api/v1/deviceGroups/{kitchen}/shares/{friends}").status_code == 204
    assert bob.get(f"/api/device/{cast.device.pk}").status_code == 404
    assert bob.get(f"/api/v1/deviceGroups/{kitchen}").status_code == 404


def test_whoever_a_group_is_shared_with_can_neither_change_nor_share_it(cast: Cast) -> None:
    kitchen = make(cast.alice, "deviceGroups", "Kitchen")
    share = {"user": str(cast.bob.pk), "action": "control"}
    assert api(cast.alice).post(f"/api/v1/deviceGroups/{kitchen}/shares", share, format="json").status_code == 200
    bob, body = api(cast.bob), {"name": "Mine", "ids": [str(cast.bobs_device.pk)], **share}
    path = f"/api/v1/deviceGroups/{kitchen}"
    assert bob.put(path, body, format="json").status_code == 403
    assert bob.delete(path).status_code == 403
    for below in ("shares", "members/add", "members/remove"):
        assert bob.post(f"{path}/{below}", body, format="json").status_code == 403
    assert bob.get(f"{path}/shares").status_code == 403
    assert bob.get("/api/v1/userGroups").status_code == 403


@pytest.mark.parametrize("kind", ["deviceGroups", "userGroups"])
def test_a_stranger_finds_no_group(cast: Cast, kind: str) -> None:
    group = make(cast.alice, kind, "Ours")
    gina, body = api(cast.gina), {"name": "Mine", "ids": [str(new_id())]}
    assert gina.get(f"/api/v1/{kind}").json()["results"] == []
    assert gina.get(f"/api/v1/{kind}/{group}").status_code == 404
    assert gina.put(f"/api/v1/{kind}/{group}", body, format="json").status_code == 404
    assert gina.post(f"/api/v1/{kind}/{group}/members/add", body, format="json").status_code == 404
    assert gina.delete(f"/api/v1/{kind}/{group}").status_code == 404
    assert gina.get(f"/api/v1/{kind}/{group}").json() == {
        "detail": f"{'Device' if kind == 'deviceGroups' else 'User'} group with id [{group}] is not found",
        "status_code": 404,
    }


def test_a_share_names_one_holder_of_the_tenant_and_a_known_action(cast: Cast) -> None:
    path = f"/api/v1/deviceGroups/{make(cast.alice, 'deviceGroups', 'Kitchen')}/shares"
    alice, bob, gina = api(cast.alice), str(cast.bob.pk), str(cast.gina.pk)
    for body in (
        {},
        {"user": bob},
        {"action": "view"},
        {"user": bob, "action": "manage"},
        {"user": gina, "action": "view"},
        {"user": "bob", "action": "view"},
        {"user": bob, "user_group": bob, "action": "view"},
        {"user_group": bob, "action": "view"},
    ):
        answer = alice.post(path, body, format="json")
        assert answer.status_code == 400, body
        assert set(answer.json()) == {"detail", "status_code"}


def test_tenant_and_members_are_never_taken_from_a_body(cast: Cast) -> None:
    body = {"name": "Friends", "tenant_id": str(cast.globex.pk), "group": 1, "id": str(cast.bob.pk)}
    made = api(cast.alice).post("/api/v1/userGroups", body, format="json").json()
    assert UserGroup.objects.get(pk=made["id"]).tenant_id == cast.acme.pk
    assert made["id"] != str(cast.bob.pk)


def test_the_list_pages_orders_and_searches_and_says_what_it_does_not_understand(cast: Cast) -> None:
    for name in ("Attic", "Barn", "Cellar"):
        make(cast.alice, "deviceGroups", name)
    alice = api(cast.alice)

    def names(query: str) -> list[str]:
        return [each["name"] for each in alice.get(f"/api/v1/deviceGroups?{query}").json()["results"]]

    assert names("ordering=name") == ["Attic", "Barn", "Cellar"]
    assert names("ordering=-name&limit=1&offset=1") == ["Barn"]
    assert names("search=BAR") == ["Barn"]
    page = alice.get("/api/v1/deviceGroups?limit=2").json()
    assert (page["count"], len(page["results"]), page["previous"]) == (3, 2, None)
    assert "offset=2" in page["next"]
    for query in ("limit=0", "limit=x", "limit=1001", "offset=-1", "ordering=password"):
        assert alice.get(f"/api/v1/deviceGroups?{query}").status_code == 400, query


def test_a_taken_or_empty_name_is_refused(cast: Cast) -> None:
    make(cast.alice, "deviceGroups", "Kitchen")
    make(cast.gina, "deviceGroups", "Kitchen")
    for name in ("Kitchen", " ", ""):
        assert api(cast.alice).post("/api/v1/deviceGroups", {"name": name}, format="json").status_code == 400
    assert api(cast.alice).post("/api/v1/deviceGroups", ["Kitchen"], format="json").status_code == 400
