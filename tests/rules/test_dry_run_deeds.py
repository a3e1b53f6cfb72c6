"""A dry run tells the deeds of nodes, each seeing those before it, and does none of them."""

from typing import Any

from rules.models import RuleChain
from rules.nodes.action.assign_to_customer import AssignToCustomer
from rules.nodes.action.create_relation import CreateRelation
from rules.nodes.action.delete_attributes import DeleteAttributes
from rules.nodes.action.device_state import DeviceState
from rules.nodes.action.rest_call_reply import RestCallReply
from rules.nodes.action.save_attributes import SaveAttributes
from tests.cast import Cast
from tests.rules.engine.world import make_chain
from tests.rules.test_dry_run import message, nothing_happens, run


def chain_of(cast: Cast, *nodes: tuple[Any, dict[str, Any]]) -> RuleChain:
    """One behind the other."""
    lines = [(number, number + 1, "Success") for number in range(len(nodes) - 1)]
    return make_chain(cast.acme.pk, list(nodes), lines, root=False)


def test_entities_are_assigned_and_related_as_if(cast: Cast) -> None:
    chain = chain_of(
        cast,
        (AssignToCustomer, {"customerNamePattern": "Cafe", "createCustomerIfNotExists": True}),
        (CreateRelation, {"entityType": "ASSET", "entityNamePattern": "Roof", "createEntityIfNotExists": True}),
    )
    with nothing_happens(cast):
        first, second = run(cast, chain, messages=[message(cast), message(cast)]).json()["results"]
    assert [each["effect"] for each in first["effects"]] == [
        "create",
        "assign to customer",
        "create",
        "create relation",
    ]
    assert first["effects"][0]["name"] == "Cafe" and first["effects"][1]["entity"]["id"] == str(cast.device.pk)
    assert (second["outcome"], second["effects"]) == ("done", [])  # all of it is there already


def test_attributes_states_and_answers_are_told(cast: Cast) -> None:
    chain = chain_of(
        cast,
        (SaveAttributes, {}),
        (DeleteAttributes, {"keys": ["t"], "sendAttributesDeletedNotification": True}),
        (DeviceState, {}),
        (RestCallReply, {}),
    )
    call = {"serviceId": "web", "requestUUID": "5c9a153a-e51f-11f1-88cb-5d1941fd97de"}
    posted = message(cast, type="POST_ATTRIBUTES_REQUEST", metadata=call)
    with nothing_happens(cast):
        (result,) = run(cast, chain, messages=[posted]).json()["results"]
    names = ["save attributes", "delete attributes", "message", "device state", "rest call reply"]
    assert [each["effect"] for each in result["effects"]] == names
    assert result["effects"][2]["data"] == {"attributes": ["t"]} and result["effects"][4]["data"] == '{"t":40}'
