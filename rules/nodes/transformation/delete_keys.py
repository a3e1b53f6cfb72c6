"""Delete key-value pairs."""

from collections.abc import Sequence
from typing import Any

from rules.node import SUCCESS, Category, Config, Context, Emit, Msg, Node, Outcome
from rules.node.key_patterns import KeyPatterns, Matches
from rules.node.source import Source, upgraded


class DeleteKeysConfig(Config, frozen=True):
    """From where to delete, and the patterns of the keys."""

    delete_from: Source = Source.DATA
    keys: tuple[str, ...] = ()


class DeleteKeys(Node):
    """Deletes key-value pairs from the body or from the metadata.

    A key is deleted where one of the regular expressions matches the whole of it. A body that is not a JSON object has none:
    the message leaves by Success as it came.
    """

    TYPE = "org.thingsboard.rule.engine.transform.TbDeleteKeysNode"
    NAME = "delete key-value pairs"
    CATEGORY = Category.TRANSFORMATION
    VERSION = 2
    CONFIG = DeleteKeysConfig
    CONFIG_DIRECTIVE = "tbTransformationNodeDeleteKeysConfig"
    ICON = "remove_circle"

    def __init__(self, config: DeleteKeysConfig, name: str = "") -> None:
        super().__init__(config, name)
        self._patterns = KeyPatterns(config.keys)

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """Most messages of a batch have the same keys: each is matched once."""
        matches = self._patterns.matches()
        return [self._without(msg, matches) for msg in messages]

    def _without(self, msg: Msg, matches: Matches) -> Emit:
        try:
            if self.config.delete_from is Source.METADATA:
                kept = {key: value for key, value in msg.metadata.items() if not matches(key)}
                return Emit(SUCCESS, msg if len(kept) == len(msg.metadata) else msg.with_all_metadata(kept))
            body = msg.data.value
            if not isinstance(body, dict):
                return Emit(SUCCESS, msg)
            rest = {key: value for key, value in body.items() if not matches(key)}
            return Emit(SUCCESS, msg if len(rest) == len(body) else msg.with_data(rest))
        except ValueError as error:
            return Emit.failure(msg, str(error))

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 had `fromMetadata`, version 1 `dataToFetch`. Raises ValueError."""
        return upgraded(version, raw, "deleteFrom", "dataToFetch")
