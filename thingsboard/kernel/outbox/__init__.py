"""The durable queue (architecture.md 4, "The queue"): what must not be lost travels upwards through it."""

from thingsboard.kernel.outbox.append import Appender, append, append_many, append_on, register_flows
from thingsboard.kernel.outbox.flows import MAIN, flow_id, group_of, lane_of
from thingsboard.kernel.outbox.kicks import kick
from thingsboard.kernel.outbox.messages import Message, Position, Row, decode, decode_rows, encode

__all__ = [
    "MAIN",
    "Appender",
    "Message",
    "Position",
    "Row",
    "append",
    "append_many",
    "append_on",
    "decode",
    "decode_rows",
    "encode",
    "flow_id",
    "group_of",
    "kick",
    "lane_of",
    "register_flows",
]
