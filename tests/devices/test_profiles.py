"""Device profiles: what they may refer to, and their infos over REST."""

import uuid

import pytest

from devices.services.profiles import create_profile
from tests.cast import Cast, api, error
from thingsboard.kernel.errors import BadRequest


@pytest.mark.parametrize(
    ("member", "says"), [("default_rule_chain_id", "rule chain"), ("default_dashboard_id", "dashboard")]
)
def test_a_profile_cannot_refer_to_what_does_not_exist(cast: Cast, member: str, says: str) -> None:
    with pytest.raises(BadRequest, match=f"non-existent {says}"):
        create_profile(cast.acme.pk, "valve", **{member: uuid.uuid4()})


def test_a_profile_name_is_there_and_unique_in_its_tenant(cast: Cast) -> None:
    create_profile(cast.globex.pk, "valve")
    create_profile(cast.acme.pk, "valve")
    with pytest.raises(BadRequest, match="Device profile with such name already exists!"):
        create_profile(cast.acme.pk, "valve")
    with pytest.raises(BadRequest, match="Device profile name should be specified!"):
        create_profile(cast.acme.pk, " ")


def test_infos_are_listed_and_the_default_one_is_known(cast: Cast) -> None:
    valve, secret = create_profile(cast.acme.pk, "valve"), create_profile(cast.globex.pk, "secret")
    client = api(cast.bob)
    page = client.get("/api/deviceProfileInfos?pageSize=10&page=0&sortProperty=name&sortOrder=ASC").json()
    assert [info["name"] for info in page["data"]] == ["default", "valve"]
    default = client.get("/api/deviceProfileInfo/default").json()
    assert default == page["data"][0]
    assert (default["type"], default["transportType"], default["image"]) == ("DEFAULT", "DEFAULT", None)
    assert client.get(f"/api/deviceProfileInfo/{valve.pk}").json()["name"] == "valve"
    assert error(client.get(f"/api/deviceProfileInfo/{secret.pk}")) == (404, 32)
    asked = api(cast.alice).get(f"/api/deviceProfileInfos?deviceProfileIds={valve.pk},{secret.pk}").json()
    assert [info["name"] for info in asked] == ["valve"]
