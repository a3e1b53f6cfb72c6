"""Calls to devices that are not kept (compat/device_transports.md 9): who has a device's session, and how that node is told.

A call travels over the bus and so may be lost: then nobody answers it, and whoever waits for it hears of a time-out. The letter
to a node (transports/mailbox.py) is

    {"from": <null UUID>, "call": [[request, tenant, device, number, method, params, oneway, expires, additional info], ...]}

where `request` (UUID) is what an answer names (`devices.services.answers`), `number` what the device is told (a whole number),
`params` and `additional info` (or null) are texts, and `expires` is in ms since 1970.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import psycopg
from django.db import transaction

from thingsboard.kernel import bus
from thingsboard.kernel.ids import NULL_UUID

Connection = psycopg.Connection[Any]

KIND: Final = "call"
MOST_IN_LETTER = 100

# Only of devices of that tenant.
_OWNERS = """
    SELECT s.device_id, s.node FROM devices_devicesession s
    JOIN devices_device d ON d.id = s.device_id
    JOIN devices_transportnode n ON n.id = s.node
    WHERE d.tenant_id = %s AND s.device_id = ANY(%s) AND n.lease > clock_timestamp()
"""


class Call(NamedTuple):
    """One call. `expires` in ms."""

    request_id: uuid.UUID
    device_id: uuid.UUID
    number: int
    method: str
    params: str
    oneway: bool
    expires: int
    additional_info: str | None = None


def node_channel(node: uuid.UUID) -> str:
    """The channel of the bus on which a node of the transports listens."""
    return f"node:{node}"


def owners(connection: Connection, tenant_id: uuid.UUID, devices: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The living node that has the session of each device of the tenant; who has none is missing."""
    rows = psycopg.Cursor(connection).execute(_OWNERS, [tenant_id, list(devices)], prepare=True).fetchall()
    return dict(rows)


def send_after_commit(tenant_id: uuid.UUID, calls: Sequence[Call], by: Mapping[uuid.UUID, uuid.UUID]) -> None:
    """Tell each node its calls, `by` says which one has a device, once Django's open transaction is committed. A call to a
    device that nobody has is sent nowhere.
    """
    letters: dict[uuid.UUID, list[list[Any]]] = defaultdict(list)
    for call in calls:
        if call.device_id in by:
            letters[by[call.device_id]].append(_item(tenant_id, call))
    if letters:
        transaction.on_commit(lambda: _send(letters), robust=True)


def _send(letters: Mapping[uuid.UUID, Sequence[list[Any]]]) -> None:
    for node, items in letters.items():
        for start in range(0, len(items), MOST_IN_LETTER):
            bus.publish(node_channel(node), {"from": str(NULL_UUID), KIND: list(items[start : start + MOST_IN_LETTER])})


def _item(tenant_id: uuid.UUID, call: Call) -> list[Any]:
    return [
        str(call.request_id), str(tenant_id), str(call.device_id), call.number, call.method, call.params, call.oneway,
        call.expires, call.additional_info,
    ]  # fmt: skip
