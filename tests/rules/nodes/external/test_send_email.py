"""Send email: to a real mail server on loopback, with and without TLS, and what it must not let through."""

import base64
import socket
from pathlib import Path
from typing import Any

import pytest

from rules.node import Msg, Suspend, TryAgain
from rules.nodes.external.send_email import SendEmail
from tests.rules.nodes.context import World, message
from tests.rules.nodes.external.authority import Authority
from tests.rules.nodes.external.http_server import ForwardProxy, proxying
from tests.rules.nodes.external.mail_server import MailServer, running
from tests.rules.nodes.outside import LocalOutside, outside_node, performed
from tests.rules.nodes.running import failed, made, run_one
from thingsboard.kernel.outgoing import Guard

PIXEL = base64.b64encode(b"\x89PNG fake").decode()
ALARM = {
    "from": "Platform <platform@example.org>",
    "to": "ann@example.org, Bob <bob@example.org>",
    "cc": "carl@example.org",
    "bcc": "dora@example.org",
    "subject": "Zu heiß",
    "body": "<b>21.5 °C</b>",
    "html": True,
    "images": {},
}


def mail(**changes: Any) -> Msg:
    return message({**ALARM, **changes}, "SEND_EMAIL")


def own(server: MailServer, **configuration: Any) -> Any:
    there = {"useSystemSmtpSettings": False, "smtpHost": "127.0.0.1", "smtpPort": server.port}
    return outside_node(SendEmail, **{**there, **configuration})


async def test_a_mail_reaches_everybody_and_nobody_learns_who_got_a_blind_copy(outside: LocalOutside) -> None:
    async with running(MailServer()) as server:
        outcome = await performed(own(server), outside, mail())
    assert outcome.relation == "Success" and outcome.msg == mail()
    ((sender, recipients, parsed),) = server.mails
    assert sender == "platform@example.org"
    assert recipients == ["ann@example.org", "bob@example.org", "carl@example.org", "dora@example.org"]
    assert parsed["To"] == "ann@example.org, Bob <bob@example.org>" and parsed["Cc"] == "carl@example.org"
    assert "dora" not in parsed.as_string() and parsed["From"] == "Platform <platform@example.org>"
    assert parsed["Subject"] == "Zu heiß" and parsed["Message-ID"] == f"<{outside.key}@example.org>"
    assert parsed.get_content_type() == "text/html" and parsed.get_content().strip() == "<b>21.5 °C</b>"


async def test_plain_text_is_plain(outside: LocalOutside) -> None:
    async with running(MailServer()) as server:
        await performed(own(server), outside, mail(html=False, body=".\nleading dots\n..\n", cc=None, bcc=""))
    ((_, recipients, parsed),) = server.mails
    assert len(recipients) == 2 and parsed["Cc"] is None
    assert (parsed.get_content_type(), parsed.get_content()) == ("text/plain", ".\r\nleading dots\r\n..\r\n")


async def test_images_come_with_the_mail(outside: LocalOutside) -> None:
    images = {"plan.png": PIXEL, "logo": f"data:image/gif;base64,{PIXEL}"}
    async with running(MailServer()) as server:
        await performed(own(server), outside, mail(images=images, body='<img src="cid:logo">'))
    ((_, _, parsed),) = server.mails
    assert parsed.get_content_type() == "multipart/related"
    html, plan, logo = parsed.iter_parts()
    assert "cid:logo" in html.get_content()
    assert (plan["Content-ID"], plan.get_content_type(), plan.get_content()) == (
        "<plan.png>",
        "image/png",
        b"\x89PNG fake",
    )
    assert (logo["Content-ID"], logo.get_content_type()) == ("<logo>", "image/gif")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"to": ""}, "Email destination can not be blank."),
        ({"to": None}, "Email destination can not be blank."),
        ({"to": "ann"}, "'ann' in 'to' is not an address."),
        ({"to": "ann@example.org\r\nBcc: all@example.org"}, "The addresses in 'to' have a line break."),
        ({"cc": "a@b@c"}, "in 'cc' is not an address."),
        ({"bcc": "<x>"}, "in 'bcc' is not an address."),
        ({"from": "x y@example.org"}, "in 'from' is not an address."),
        ({"subject": "Hot\r\nBcc: all@example.org"}, "The subject has a line break."),
        ({"subject": "Hot\x0bBcc: all@example.org"}, "The subject has a line break."),
        ({"subject": "Hot\u2028Bcc: all@example.org"}, "The subject has a line break."),
        ({"images": {"a": "!"}}, "The image 'a' is not base64."),
        ({"images": {"a>\r\nX: y": PIXEL}}, "is not the id of an image."),
        ({"images": [1]}, "cannot be used"),
        ({"to": ", ".join(f"a{n}@example.org" for n in range(501))}, "expected at most 500"),
    ],
)
async def test_a_mail_that_is_none_is_not_sent(outside: LocalOutside, changes: dict[str, Any], why: str) -> None:
    async with running(MailServer()) as server:
        assert why in failed(await performed(own(server), outside, mail(**changes)))
    assert server.mails == []


def test_only_messages_of_to_email_are_mails() -> None:
    node = made(SendEmail, SendEmail.defaults())
    with pytest.raises(ValueError, match="Not expected msg type POST_TELEMETRY_REQUEST"):
        run_one(node, World(), message(ALARM))
    with pytest.raises(ValueError, match="not a JSON object"):
        run_one(node, World(), message("text", "SEND_EMAIL"))


def test_a_mail_waits_for_its_server_and_can_be_looked_at() -> None:
    waiting = run_one(made(SendEmail, SendEmail.defaults()), World(), mail())
    assert isinstance(waiting, Suspend) and waiting.destination == "smtp:"
    node = made(SendEmail, {"smtpHost": "mail.example", "smtpPort": 587, "username": "u", "password": "hidden"})
    assert node.destination(mail()) == "smtp://mail.example:587"  # type: ignore[attr-defined]
    preview = node.preview(mail())  # type: ignore[attr-defined]
    assert preview["to"] == ["ann@example.org", "Bob <bob@example.org>"] and "hidden" not in str(preview)


class TestTls:
    @pytest.fixture(autouse=True)
    def trusting(self, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The system's authorities, as an administrator adds to them."""
        bundle = tmp_path / "authorities.pem"
        bundle.write_text(authority.pem)
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))

    @pytest.mark.parametrize("kind", ["starttls", "implicit"])
    async def test_mails_and_passwords_go_over_tls(
        self, outside: LocalOutside, authority: Authority, tmp_path: Path, kind: str
    ) -> None:
        tls = authority.server(tmp_path, "127.0.0.1")
        how: dict[str, Any] = {"starttls": tls, "auth": True} if kind == "starttls" else {"tls": tls}
        wanted = {"enableTls": True, "username": "ann", "password": "secret"} if kind == "starttls" else {}
        protocol = "smtp" if kind == "starttls" else "smtps"
        async with running(MailServer(), **how) as server:
            node = own(server, smtpProtocol=protocol, **wanted)
            assert (await performed(node, outside, mail())).relation == "Success"
            assert server.users == ([b"ann"] if wanted else [])
            if wanted:
                wrong = own(server, smtpProtocol=protocol, **{**wanted, "password": "x"})
                assert "535" in failed(await performed(wrong, outside, mail()))
        assert len(server.mails) == 1

    @pytest.mark.parametrize("name", ["other.example", "nobody"])
    async def test_a_server_that_is_not_whom_it_should_be_gets_no_password(
        self, outside: LocalOutside, authority: Authority, tmp_path: Path, name: str
    ) -> None:
        tls = (authority if name == "other.example" else Authority("Nobody")).server(tmp_path, name)
        if name == "nobody":
            tls = Authority("Nobody").server(tmp_path, "127.0.0.1")
        async with running(MailServer(), starttls=tls, auth=True) as server:
            node = own(server, enableTls=True, username="ann", password="secret")
            assert "There is no safe connection" in failed(await performed(node, outside, mail()))
        assert server.users == [] and server.mails == []

    async def test_where_tls_is_wanted_nothing_is_sent_without(self, outside: LocalOutside) -> None:
        async with running(MailServer()) as server:
            node = own(server, enableTls=True, username="ann", password="secret")
            assert "cannot do what is wanted" in failed(await performed(node, outside, mail()))
        assert server.users == [] and server.mails == []


class TestRefusals:
    async def test_one_recipient_who_is_refused_stops_the_mail_for_all(self, outside: LocalOutside) -> None:
        async with running(MailServer(bob="550 no such user")) as server:
            assert "550 no such user" in failed(await performed(own(server), outside, mail()))
        assert server.mails == []

    async def test_not_now_is_tried_again(self, outside: LocalOutside) -> None:
        async with running(MailServer(bob="451 greylisted")) as server:
            with pytest.raises(TryAgain, match="451 greylisted"):
                await performed(own(server), outside, mail())
            server.refuses.clear()
            server.data_answer = "452 too busy"
            with pytest.raises(TryAgain, match="452 too busy"):
                await performed(own(server), outside, mail())

    async def test_a_mail_that_is_too_much_is_a_failure(self, outside: LocalOutside) -> None:
        async with running(MailServer()) as server:
            server.data_answer = "552 too large"
            assert "552 too large" in failed(await performed(own(server), outside, mail()))

    async def test_a_server_that_does_not_answer_the_mail_may_have_taken_it(self, outside: LocalOutside) -> None:
        async with running(MailServer()) as server:
            server.silent = True
            assert "may have taken the mail" in failed(await performed(own(server, timeout=200), outside, mail()))

    async def test_a_server_that_says_nothing_or_is_not_there_is_tried_again(self, outside: LocalOutside) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            node = outside_node(
                SendEmail,
                useSystemSmtpSettings=False,
                smtpHost="127.0.0.1",
                smtpPort=silent.getsockname()[1],
                timeout=100,
            )
            with pytest.raises(TryAgain, match="did not answer within"):
                await performed(node, outside, mail())
        with pytest.raises(TryAgain, match="cannot be reached"):
            await performed(node, outside, mail())

    async def test_an_own_server_must_be_permitted(self) -> None:
        async with running(MailServer()) as server, LocalOutside(Guard()) as outside:
            assert "is not permitted" in failed(await performed(own(server), outside, mail()))


class TestThePlatformsServer:
    async def test_it_may_be_anywhere_and_names_the_sender(self) -> None:
        async with running(MailServer()) as server:
            settings = {
                "smtpHost": "127.0.0.1",
                "smtpPort": str(server.port),
                "smtpProtocol": "smtp",
                "timeout": "5000",
            }
            settings |= {"mailFrom": "System <system@example.org>", "enableTls": "false", "username": ""}
            async with LocalOutside(Guard(), mail=settings) as outside:
                node = outside_node(SendEmail)
                assert (await performed(node, outside, mail(**{"from": ""}))).relation == "Success"
                assert (await performed(node, outside, mail())).relation == "Success"
        assert [sender for sender, *_ in server.mails] == ["system@example.org", "platform@example.org"]

    async def test_where_there_is_none_that_is_said(self, outside: LocalOutside) -> None:
        assert "no settings of mail" in failed(await performed(outside_node(SendEmail), outside, mail()))

    async def test_oauth_is_not_there_yet(self) -> None:
        async with LocalOutside(mail={"enableOauth2": True}) as outside:
            assert "OAuth 2" in failed(await performed(outside_node(SendEmail), outside, mail()))


async def test_a_mail_goes_through_a_proxy(outside: LocalOutside) -> None:
    async with running(MailServer()) as server, proxying(ForwardProxy("ann:secret")) as proxy:
        through = {"enableProxy": True, "proxyHost": "127.0.0.1", "proxyPort": str(proxy.port)}
        node = own(server, **through, proxyUser="ann", proxyPassword="secret")
        assert (await performed(node, outside, mail())).relation == "Success"
        assert proxy.asked == [f"CONNECT 127.0.0.1:{server.port}"] and len(server.mails) == 1
        assert "says 407" in failed(await performed(own(server, **through), outside, mail()))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"smtpProtocol": "imap"}, "expected smtp or smtps"),
        ({"enableProxy": True, "proxyHost": "p", "proxyPort": "x"}, "needs a host, and a port"),
        ({"smtpPort": "a"}, "cannot be used"),
    ],
)
def test_what_cannot_be_is_said(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        made(SendEmail, {"useSystemSmtpSettings": False, **wrong})
