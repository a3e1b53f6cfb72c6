"""Rename keys."""

from typing import Any

from rules.node import SUCCESS, Category, Config, Context, EachNode, Emit, Msg, Outcome
from rules.node.source import Source, upgraded


class RenameKeysConfig(Config, frozen=True):
    """Where to rename, and the new names by the present ones."""

    NEW = {"renameKeysMapping": {"temperatureCelsius": "temperature"}}

    rename_in: Source = Source.DATA
    rename_keys_mapping: dict[str, str] = {}


class RenameKeys(EachNode):
    """Renames keys of the body or of the metadata.

    What is called by the new name already is replaced. Names that are not there are passed over, and so is a body that is not
    a JSON object: the message leaves by Success as it came.
    """

    TYPE = "org.thingsboard.rule.engine.transform.TbRenameKeysNode"
    NAME = "rename keys"
    CATEGORY = Category.TRANSFORMATION
    VERSION = 2
    CONFIG = RenameKeysConfig
    CONFIG_DIRECTIVE = "tbTransformationNodeRenameKeysConfig"
    ICON = "find_replace"

    def __init__(self, config: RenameKeysConfig, name: str = "") -> None:
        super().__init__(config, name)
        if not config.rename_keys_mapping:
            raise ValueError("At least one mapping entry should be specified!")

    def one(self, ctx: Context, msg: Msg) -> Outcome:
        """In the order of the mapping, as in ThingsBoard: what was renamed may be renamed again."""
        in_metadata = self.config.rename_in is Source.METADATA
        try:
            body = msg.metadata if in_metadata else msg.data.value
        except ValueError as error:
            return Emit.failure(msg, str(error))
        mapping = self.config.rename_keys_mapping
        if not isinstance(body, dict) or body.keys().isdisjoint(mapping):
            return Emit(SUCCESS, msg)
        renamed = dict(body)
        for present, new in mapping.items():
            if present in renamed:
                renamed[new] = renamed.pop(present)
        return Emit(SUCCESS, msg.with_all_metadata(renamed) if in_metadata else msg.with_data(renamed))

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Both older versions had `fromMetadata`. Raises ValueError."""
        return upgraded(version, raw, "renameIn")
