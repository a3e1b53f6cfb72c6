"""To email: the message that "send email" expects."""

import pytest

from rules.nodes.transformation.to_email import ToEmail
from tests.rules.nodes.context import World, message
from tests.rules.nodes.running import failed, made, relations, run_one

MAIL = {
    "fromTemplate": "info@example.com",
    "toTemplate": "${userEmail}",
    "ccTemplate": "${cc}",
    "bccTemplate": "",
    "subjectTemplate": "${deviceName}",
    "bodyTemplate": "<b>$[temperature]</b>",
    "mailBodyType": "true",
}


def test_the_body_is_the_mail_of_thingsboard(world: World) -> None:
    msg = message({"temperature": 25.5}, userEmail="a@example.com", cc="b@example.com", deviceName="A")
    outcome = run_one(made(ToEmail, MAIL), world, msg)
    assert (outcome.relation, outcome.msg.type, outcome.msg.metadata) == ("Success", "SEND_EMAIL", msg.metadata)
    assert outcome.msg.data.raw == (
        b'{"from":"info@example.com","to":"a@example.com","cc":"b@example.com","bcc":null,"subject":"A",'
        b'"body":"<b>25.5</b>","images":null,"html":true}'
    )


@pytest.mark.parametrize(
    ("kind", "html"),
    [
        ({"mailBodyType": "true"}, True),
        ({"mailBodyType": "TRUE"}, True),
        ({"mailBodyType": "false"}, False),
        ({"mailBodyType": None}, False),
        ({"mailBodyType": "dynamic", "isHtmlTemplate": "${html}"}, True),
        ({"mailBodyType": "dynamic", "isHtmlTemplate": "${absent}"}, False),
        ({"mailBodyType": "dynamic"}, False),
        ({"mailBodyType": "false", "isHtmlTemplate": "true"}, False),
    ],
)
def test_it_is_html_where_the_configuration_or_the_message_says_so(world: World, kind: dict, html: bool) -> None:
    outcome = run_one(made(ToEmail, {**MAIL, **kind}), world, message({}, html="true"))
    assert outcome.msg.data.value["html"] is html


def test_images_are_those_of_the_metadata(world: World) -> None:
    outcome = run_one(made(ToEmail, MAIL), world, message({}, images='{"logo":"data:image/png;base64,AA=="}'))
    assert outcome.msg.data.value["images"] == {"logo": "data:image/png;base64,AA=="}
    assert run_one(made(ToEmail, MAIL), world, message({}, images="")).msg.data.value["images"] is None


@pytest.mark.parametrize("images", ["{", "[]", '{"logo":7}', "text"])
def test_images_that_are_none_fail_the_message(world: World, images: str) -> None:
    assert "images in the metadata is not a JSON object of texts" in failed(
        run_one(made(ToEmail, MAIL), world, message({}, images=images))
    )


def test_parts_that_are_not_configured_are_null_and_a_new_node_has_some(world: World) -> None:
    mail = run_one(made(ToEmail, {}), world, message({})).msg.data.value
    assert mail == dict.fromkeys(("from", "to", "cc", "bcc", "subject", "body", "images")) | {"html": False}
    assert ToEmail.defaults()["toTemplate"] == "${userEmail}"


def test_a_batch_has_an_outcome_for_each_and_a_broken_body_fails_where_it_is_asked(world: World) -> None:
    outcomes = made(ToEmail, MAIL).run(world, [message({"temperature": 1}), message(raw=b"{"), message({})])
    assert relations(outcomes) == ["Success", "Failure", "Success"]
    assert outcomes[2].msg.data.value["body"] == "<b>$[temperature]</b>"
