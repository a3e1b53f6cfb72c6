"""To email."""

from typing import Any, Final

import msgspec

from rules.node import SUCCESS, Category, Config, Context, EachNode, Emit, Msg, Outcome
from rules.node.template import Template

SEND_EMAIL: Final = "SEND_EMAIL"

_DYNAMIC: Final = "dynamic"
_IMAGES: Final = "images"


class ToEmailConfig(Config, frozen=True):
    """The parts of the mail, all with templates. `mailBodyType`: true for HTML, false for plain text, dynamic: as the template
    `isHtmlTemplate` says.
    """

    NEW = {
        "fromTemplate": "info@testmail.org",
        "toTemplate": "${userEmail}",
        "subjectTemplate": "${deviceType}: temperature is too high",
        "bodyTemplate": "${deviceName} reports a temperature of $[temperature].",
        "mailBodyType": "false",
    }

    from_template: str | None = None
    to_template: str | None = None
    cc_template: str | None = None
    bcc_template: str | None = None
    subject_template: str | None = None
    body_template: str | None = None
    is_html_template: str | None = None
    mail_body_type: str | None = None


class ToEmail(EachNode):
    """Makes a mail of a message, for the node "send email".

    The new message is of type SEND_EMAIL. Its body has `from`, `to`, `cc`, `bcc`, `subject`, `body`, `images` and `html`; what
    is not configured is null. `images` are those of the metadata: a JSON object of data URLs by their content ids.
    """

    TYPE = "org.thingsboard.rule.engine.mail.TbMsgToEmailNode"
    NAME = "to email"
    CATEGORY = Category.TRANSFORMATION
    CONFIG = ToEmailConfig
    CONFIG_DIRECTIVE = "tbTransformationNodeToEmailConfig"
    ICON = "email"

    def __init__(self, config: ToEmailConfig, name: str = "") -> None:
        super().__init__(config, name)
        dynamic = config.mail_body_type == _DYNAMIC
        self._html = Template((config.is_html_template if dynamic else config.mail_body_type) or "")
        self._templates = {
            "from": _template(config.from_template),
            "to": _template(config.to_template),
            "cc": _template(config.cc_template),
            "bcc": _template(config.bcc_template),
            "subject": _template(config.subject_template),
            "body": _template(config.body_template),
        }

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """The members are those of ThingsBoard's TbEmail, in its order."""
        try:
            mail: dict[str, Any] = {
                member: None if template is None else template.fill(msg) for member, template in self._templates.items()
            }
            mail["images"] = _images(msg)
            mail["html"] = self._html.fill(msg).lower() == "true"
        except ValueError as error:
            return Emit.failure(msg, str(error))
        return Emit(SUCCESS, msg.with_data(mail, type=SEND_EMAIL))


def _template(text: str | None) -> Template | None:
    return Template(text) if text else None


def _images(msg: Msg) -> dict[str, str] | None:
    """Those of the metadata. Raises ValueError."""
    text = msg.metadata.get(_IMAGES)
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except (msgspec.MsgspecError, ValueError):
        raise ValueError(f"{_IMAGES} in the metadata is not a JSON object of texts: {text[:40]!r}.") from None
