"""The types of messages that the platform itself makes, and by which label "message type switch" sends each on
(compat/rule_engine.md, "Message types"). A message may have any other type, too.
"""

from typing import Final

POST_TELEMETRY: Final = "POST_TELEMETRY_REQUEST"
POST_ATTRIBUTES: Final = "POST_ATTRIBUTES_REQUEST"
ALARM: Final = "ALARM"
ALARM_CLEAR: Final = "ALARM_CLEAR"
ENTITY_CREATED: Final = "ENTITY_CREATED"
ENTITY_UPDATED: Final = "ENTITY_UPDATED"
RPC_CALL: Final = "RPC_CALL_FROM_SERVER_TO_DEVICE"

# By which nodes are woken; they go to no other node.
DEDUPLICATION_TICK: Final = "DEDUPLICATION_TIMEOUT_SELF_MSG"
GENERATOR_TICK: Final = "GENERATOR_NODE_SELF_MSG"
MESSAGE_COUNT_TICK: Final = "MSG_COUNT_SELF_MSG"

OTHER: Final = "Other"

LABELS: Final[dict[str, str]] = {
    POST_ATTRIBUTES: "Post attributes",
    POST_TELEMETRY: "Post telemetry",
    "TO_SERVER_RPC_REQUEST": "RPC Request from Device",
    "ACTIVITY_EVENT": "Activity Event",
    "INACTIVITY_EVENT": "Inactivity Event",
    "CONNECT_EVENT": "Connect Event",
    "DISCONNECT_EVENT": "Disconnect Event",
    ENTITY_CREATED: "Entity Created",
    ENTITY_UPDATED: "Entity Updated",
    "ENTITY_DELETED": "Entity Deleted",
    "ENTITY_ASSIGNED": "Entity Assigned",
    "ENTITY_UNASSIGNED": "Entity Unassigned",
    "ATTRIBUTES_UPDATED": "Attributes Updated",
    "ATTRIBUTES_DELETED": "Attributes Deleted",
    ALARM: "Alarm",
    "ALARM_CREATED": "Alarm Created",
    "ALARM_UPDATED": "Alarm Updated",
    "ALARM_SEVERITY_UPDATED": "Alarm Severity Updated",
    "ALARM_ACK": "Alarm Acknowledged",
    ALARM_CLEAR: "Alarm Cleared",
    "ALARM_ASSIGNED": "Alarm Assigned",
    "ALARM_UNASSIGNED": "Alarm Unassigned",
    "COMMENT_CREATED": "Comment Created",
    "COMMENT_UPDATED": "Comment Updated",
    RPC_CALL: "RPC Request to Device",
    "ENTITY_ASSIGNED_FROM_TENANT": "Entity Assigned From Tenant",
    "ENTITY_ASSIGNED_TO_TENANT": "Entity Assigned To Tenant",
    "TIMESERIES_UPDATED": "Timeseries Updated",
    "TIMESERIES_DELETED": "Timeseries Deleted",
    "RPC_QUEUED": "RPC Queued",
    "RPC_SENT": "RPC Sent",
    "RPC_DELIVERED": "RPC Delivered",
    "RPC_SUCCESSFUL": "RPC Successful",
    "RPC_TIMEOUT": "RPC Timeout",
    "RPC_EXPIRED": "RPC Expired",
    "RPC_FAILED": "RPC Failed",
    "RPC_DELETED": "RPC Deleted",
    "RELATION_ADD_OR_UPDATE": "Relation Added or Updated",
    "RELATION_DELETED": "Relation Deleted",
    "RELATIONS_DELETED": "All Relations Deleted",
    "REST_API_REQUEST": "REST API request",
}
