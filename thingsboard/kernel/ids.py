"""Entity ids: time-based UUIDs and their JSON form `{"entityType": "DEVICE", "id": "..."}` (compat/data_model.md 1)."""

import enum
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

# "No customer" and "the system's tenant" (compat/data_model.md 1): never null in ThingsBoard's API.
NULL_UUID = uuid.UUID("13814000-1dd2-11b2-8080-808080808080")


class EntityType(enum.StrEnum):
    """The 36 kinds of entity that ThingsBoard CE 4.3 knows, and ours."""

    TENANT = "TENANT"
    CUSTOMER = "CUSTOMER"
    USER = "USER"
    DASHBOARD = "DASHBOARD"
    ASSET = "ASSET"
    DEVICE = "DEVICE"
    ALARM = "ALARM"
    RULE_CHAIN = "RULE_CHAIN"
    RULE_NODE = "RULE_NODE"
    ENTITY_VIEW = "ENTITY_VIEW"
    WIDGETS_BUNDLE = "WIDGETS_BUNDLE"
    WIDGET_TYPE = "WIDGET_TYPE"
    TENANT_PROFILE = "TENANT_PROFILE"
    DEVICE_PROFILE = "DEVICE_PROFILE"
    ASSET_PROFILE = "ASSET_PROFILE"
    API_USAGE_STATE = "API_USAGE_STATE"
    TB_RESOURCE = "TB_RESOURCE"
    OTA_PACKAGE = "OTA_PACKAGE"
    EDGE = "EDGE"
    RPC = "RPC"
    QUEUE = "QUEUE"
    NOTIFICATION_TARGET = "NOTIFICATION_TARGET"
    NOTIFICATION_TEMPLATE = "NOTIFICATION_TEMPLATE"
    NOTIFICATION_REQUEST = "NOTIFICATION_REQUEST"
    NOTIFICATION = "NOTIFICATION"
    NOTIFICATION_RULE = "NOTIFICATION_RULE"
    QUEUE_STATS = "QUEUE_STATS"
    OAUTH2_CLIENT = "OAUTH2_CLIENT"
    DOMAIN = "DOMAIN"
    MOBILE_APP = "MOBILE_APP"
    MOBILE_APP_BUNDLE = "MOBILE_APP_BUNDLE"
    CALCULATED_FIELD = "CALCULATED_FIELD"
    JOB = "JOB"
    ADMIN_SETTINGS = "ADMIN_SETTINGS"
    AI_MODEL = "AI_MODEL"
    API_KEY = "API_KEY"
    # Ours; ThingsBoard's API never shows them.
    DEVICE_GROUP = "DEVICE_GROUP"
    USER_GROUP = "USER_GROUP"


@dataclass(frozen=True, slots=True, eq=False)
class EntityId:
    """Which entity, without saying anything about whether it exists or who may see it."""

    type: EntityType
    id: uuid.UUID

    # By hand, because those that a dataclass makes take five times as long, and every message asks some.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, EntityId) and self.id.int == other.id.int and self.type is other.type

    def __hash__(self) -> int:
        return hash(self.id.int)

    def to_json(self) -> dict[str, str]:
        """ThingsBoard's JSON form."""
        return {"entityType": self.type.value, "id": str(self.id)}

    @classmethod
    def from_json(cls, data: Any, fixed: EntityType | None = None) -> "EntityId":
        """Read ThingsBoard's JSON form; `fixed` stands in for a missing entityType and must match a given one.

        Raises ValueError with a sentence that says what was expected.
        """
        if not isinstance(data, dict):
            raise ValueError('Expected an entity id {"entityType": "...", "id": "<uuid>"}.')
        name = str(data.get("entityType") or fixed)
        try:
            kind = EntityType(str(name))
        except ValueError:
            raise ValueError(f"Unknown entityType {name[:40]!r}.") from None
        if fixed is not None and kind is not fixed:
            raise ValueError(f"Expected entityType {fixed.value}, got {kind.value}.")
        return cls(kind, parse_uuid(data.get("id")))


def parse_uuid(raw: Any) -> uuid.UUID:
    """A UUID from its 36-character text. Raises ValueError with a sentence otherwise."""
    if isinstance(raw, uuid.UUID):
        return raw
    if isinstance(raw, str) and len(raw) == 36:
        try:
            return uuid.UUID(raw)
        except ValueError:
            pass
    raise ValueError(f"Invalid UUID string: {str(raw)[:40]}")


def new_id() -> uuid.UUID:
    """A version-1 UUID, as ThingsBoard's ids are: the time is inside, node and sequence are random, not this
    machine's.
    """
    return uuid.uuid1(node=secrets.randbits(48) | 1 << 40, clock_seq=secrets.randbits(14))
