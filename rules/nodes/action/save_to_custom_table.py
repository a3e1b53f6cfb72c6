"""Save to custom table."""

from typing import Any

from rules.node import Category, Config
from rules.node.unavailable import UnavailableNode


class SaveToCustomTableConfig(Config, frozen=True):
    """The table without its prefix cs_tb_, the columns by the names of fields, and how long rows live (s)."""

    NEW = {"tableName": "", "fieldsMapping": {"": ""}}

    table_name: str | None = None
    fields_mapping: dict[str, str] = {}
    default_ttl: int = 0


class SaveToCustomTable(UnavailableNode):
    """Writes fields of a message into a table of one's own in Cassandra.

    Not available: this platform keeps its data in PostgreSQL. A message leaves by Failure. Chains with this node are imported
    and saved unchanged.
    """

    TYPE = "org.thingsboard.rule.engine.action.TbSaveToCustomCassandraTableNode"
    NAME = "save to custom table"
    CATEGORY = Category.ACTION
    VERSION = 1
    CONFIG = SaveToCustomTableConfig
    CONFIG_DIRECTIVE = "tbActionNodeCustomTableConfig"
    ICON = "file_upload"
    CHAIN_TYPES = ("CORE",)

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """In version 0 rows lived for ever."""
        return raw if version > 0 else {"defaultTtl": 0, **raw}
