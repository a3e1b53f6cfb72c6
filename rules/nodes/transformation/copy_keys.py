"""Copy key-value pairs."""

from collections.abc import Sequence
from typing import Any

from rules.node import SUCCESS, Category, Config, Context, Emit, Msg, Node, Outcome
from rules.node.key_patterns import KeyPatterns, Matches
from rules.node.source import Source, upgraded
from rules.node.template import java_text
from thingsboard.kernel.encoding import json_bytes


class CopyKeysConfig(Config, frozen=True):
    """From where to copy, to the other of body and metadata, and the patterns of the keys."""

    copy_from: Source = Source.DATA
    keys: tuple[str, ...] = ()


class CopyKeys(Node):
    """Copies key-value pairs from the body into the metadata, or the other way round.

    A key is copied where one of the regular expressions matches the whole of it. Into the metadata everything but text is
    written as JSON, into the body everything comes as text. A body that is not a JSON object has nothing to copy, and nothing
    is copied into it: the message leaves by Success as it came.
    """

    TYPE = "org.thingsboard.rule.engine.transform.TbCopyKeysNode"
    NAME = "copy key-value pairs"
    CATEGORY = Category.TRANSFORMATION
    VERSION = 2
    CONFIG = CopyKeysConfig
    CONFIG_DIRECTIVE = "tbTransformationNodeCopyKeysConfig"
    ICON = "content_copy"

    def __init__(self, config: CopyKeysConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._patterns = KeyPatterns(config.keys)

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """Most messages of a batch have the same keys: each is matched once."""
        matches = self._patterns.matches()
        return [self._copied(msg, matches) for msg in messages]

    def _copied(self, msg: Msg, matches: Matches) -> Emit:
        try:
            body = msg.data.value
            if not isinstance(body, dict):
                return Emit(SUCCESS, msg)
            if self.config.copy_from is Source.DATA:
                found = {key: _text(value) for key, value in body.items() if matches(key)}
                return Emit(SUCCESS, msg.with_all_metadata({**msg.metadata, **found}) if found else msg)
            found = {key: value for key, value in msg.metadata.items() if matches(key)}
            return Emit(SUCCESS, msg.with_data({**body, **found}) if found else msg)
        except ValueError as error:
            return Emit.failure(msg, str(error))

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Both older versions had `fromMetadata`. Raises ValueError."""
        return upgraded(version, raw, "copyFrom")


def _text(value: Any) -> str:
    text = java_text(value)
    return json_bytes(value).decode() if text is None else text
