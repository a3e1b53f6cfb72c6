"""Send to slack."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

import orjson

from rules.node import SUCCESS, Category, Config, Emit, Msg, Outside, OutsideNode, TryAgain
from rules.node.leaving import shown_body
from rules.node.template import Template
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.outgoing import tls
from thingsboard.kernel.outgoing.errors import Interrupted, NotSent

ANSWER_S: Final = 20.0
LARGEST_ANSWER: Final = 1024 * 1024  # bytes
LONGEST_TEXT: Final = 40_000  # characters; Slack cuts off what is longer

ConversationType = Literal["DIRECT", "PUBLIC_CHANNEL", "PRIVATE_CHANNEL"]


class Conversation(Config, frozen=True):
    """A channel or a person, by Slack's id."""

    type: ConversationType | None = None
    id: str = ""
    name: str = ""
    whole_name: str | None = None
    email: str | None = None


class SendToSlackConfig(Config, frozen=True):
    """Who says what, and where."""

    NEW: ClassVar[Mapping[str, Any]] = {
        "botToken": "xoxb-",
        "useSystemSettings": True,
        "messageTemplate": "Device ${deviceId}: temperature is $[temperature]",
    }

    bot_token: str | None = None
    use_system_settings: bool = False
    message_template: str = ""
    conversation_type: ConversationType = "PUBLIC_CHANNEL"
    conversation: Conversation | None = None


class SendToSlack(OutsideNode):
    """Sends a text to a Slack channel or to a person.

    The text may have `${metadataKey}` and `$[bodyKey]`. The bot whose token is used must be a member of the channel.

    Failure: a token or channel that Slack does not know, and whatever else it refuses; the text says why in Slack's own words.
    Where Slack cannot be reached, or says that it is too much at present, it is tried again.
    """

    TYPE = "org.thingsboard.rule.engine.notification.TbSlackNode"
    NAME = "send to slack"
    CATEGORY = Category.EXTERNAL
    CONFIG = SendToSlackConfig
    CONFIG_DIRECTIVE = "tbExternalNodeSlackConfig"

    def __init__(self, config: SendToSlackConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._text = Template(config.message_template)

    def destination(self, msg: Msg) -> str:
        """Slack."""
        self._said(msg)
        return "slack"

    def preview(self, msg: Msg) -> dict[str, Any]:
        """What is said, and where."""
        body = self._said(msg)
        conversation = self.config.conversation
        return {
            "channel": body["channel"],
            "name": conversation.name if conversation else "",
            "text": shown_body(body["text"].encode()),
        }

    async def perform(self, outside: Outside, msg: Msg) -> Emit:
        """One text (Slack's chat.postMessage)."""
        from thingsboard.kernel.outgoing import http, urls

        body = self._said(msg)
        token = await self._token(outside)
        # An administrator of the platform has said where Slack is.
        guard = outside.guard.trusting()
        target = urls.parse(f"{outside.slack_url}/chat.postMessage")
        headers = [("Authorization", f"Bearer {token}"), ("Content-Type", "application/json; charset=utf-8")]

        async def made() -> http.Client:
            return http.Client(guard, tls.context())

        try:
            async with outside.shared(("slack", outside.slack_url), made, http.Client.close) as client:
                answer = await client.ask(
                    "POST", target, headers, json_bytes(body), within_s=ANSWER_S, max_body=LARGEST_ANSWER
                )
        except NotSent as error:
            raise TryAgain(str(error)) from error
        except Interrupted as error:
            return Emit.failure(msg, str(error))
        self._check(answer)
        return Emit(SUCCESS, msg)

    def _check(self, answer: Any) -> None:
        """Slack says 200 to nearly everything, and in the body whether it has done it. Raises TryAgain and ValueError."""
        if answer.status == 429:
            wait = next((value for name, value in answer.headers if name.lower() == "retry-after"), "")
            raise TryAgain("Slack says that it is too much at present.", float(wait) if wait.isdecimal() else 0.0)
        if answer.status != 200:
            raise ValueError(f"Slack answers {answer.status} {answer.reason}.")
        try:
            said = orjson.loads(answer.body)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise ValueError("Slack's answer is not a JSON object.")
        if said.get("ok") is not True:
            raise ValueError(f"Slack refuses the message: {str(said.get('error') or 'it does not say why')[:200]}.")

    async def _token(self, outside: Outside) -> str:
        if self.config.use_system_settings:
            token = str((await outside.system("slack")).get("botToken") or "")
        else:
            token = self.config.bot_token or ""
        if not token.strip():
            raise ValueError("Slack token is missing.")
        if not token.isascii() or not token.isprintable() or " " in token.strip():
            raise ValueError("The Slack token is not one.")
        return token.strip()

    def _said(self, msg: Msg) -> dict[str, str]:
        conversation = self.config.conversation
        if conversation is None or not conversation.id:
            raise ValueError("The configuration names no Slack conversation.")
        text = self._text.fill(msg)
        if not text.strip():
            raise ValueError("The text for Slack is empty.")
        if len(text) > LONGEST_TEXT:
            raise ValueError(f"The text for Slack has {len(text)} characters; expected at most {LONGEST_TEXT}.")
        return {"channel": conversation.id, "text": text}
