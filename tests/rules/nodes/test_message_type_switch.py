"""Message type switch: by the label of the type."""

from rules.nodes.filter.message_type_switch import MessageTypeSwitch
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import made, relations


def test_each_type_leaves_by_its_label_in_the_order_of_the_messages(world: World) -> None:
    types = ["POST_TELEMETRY_REQUEST", "POST_ATTRIBUTES_REQUEST", "RPC_CALL_FROM_SERVER_TO_DEVICE", "CONNECT_EVENT"]
    messages = [message({}, type) for type in types]
    outcomes = made(MessageTypeSwitch, {"version": 0}).run(world, messages)
    assert relations(outcomes) == ["Post telemetry", "Post attributes", "RPC Request to Device", "Connect Event"]
    assert [outcome.msg for outcome in outcomes] == messages


def test_types_without_a_label_and_types_of_scripts_leave_by_other(world: World) -> None:
    messages = [
        message({}, type) for type in ("ALARM_DELETE", "PROVISION_SUCCESS", "MY_OWN", "post_telemetry_request", "")
    ]
    assert set(relations(made(MessageTypeSwitch).run(world, messages))) == {"Other"}


def test_the_labels_are_those_of_thingsboard() -> None:
    assert len(MessageTypeSwitch.RELATIONS) == len(set(MessageTypeSwitch.RELATIONS)) == 42
    assert {"Alarm Severity Updated", "REST API request", "All Relations Deleted", "Other"} < set(
        MessageTypeSwitch.RELATIONS
    )


def test_what_is_stored_remains_so(world: World) -> None:
    (outcome,) = made(MessageTypeSwitch).run(world, [message({}, stored=True)])
    assert outcome.msg.stored
