"""How much of a tenant may wait for a time at rule nodes: messages with a timer, and those that nodes hold back."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from django.conf import settings

from rules.node import Msg
from thingsboard.kernel.timers import waiting_of_tenant

Connection = psycopg.Connection[Any]

# To measure reads all that waits, so it is done this often at most. What a process adds meanwhile it counts itself: several
# together may pass the bound by what they add in that time.
BELIEVED_S = 1.0
MOST_KNOWN = 10_000  # tenants
_OVERHEAD = 200  # bytes of a message besides its data

_HELD = "SELECT count(*), coalesce(sum(size), 0)::bigint FROM rules_heldmessage WHERE tenant_id = %s"


@dataclass(slots=True)
class _Known:
    messages: int
    size: int
    until: float


class Room:
    """Of one thread and connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[uuid.UUID, _Known] = {}

    def take(self, tenant_id: uuid.UUID, messages: Sequence[Msg]) -> str:
        """Room for these messages: "", or the sentence that says why there is none."""
        known = self._of(tenant_id)
        size = sum(len(msg.data.raw) + _OVERHEAD for msg in messages)
        most, largest = settings.TB_RULE_WAITING_MESSAGES, settings.TB_RULE_WAITING_BYTES
        if known.messages + len(messages) > most:
            return (
                f"{known.messages} messages of the tenant wait already; at most {most} may (TB_RULE_WAITING_MESSAGES)."
            )
        if known.size + size > largest:
            return f"{known.size} bytes of the tenant wait already; at most {largest} may (TB_RULE_WAITING_BYTES)."
        known.messages += len(messages)
        known.size += size
        return ""

    def _of(self, tenant_id: uuid.UUID) -> _Known:
        known = self._known.get(tenant_id)
        now = time.monotonic()
        if known is None or known.until <= now:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            timers = waiting_of_tenant(self._connection, tenant_id)
            row = psycopg.Cursor(self._connection).execute(_HELD, [tenant_id], prepare=True).fetchone()
            held, size = row or (0, 0)
            known = self._known[tenant_id] = _Known(timers.messages + held, timers.size + size, now + BELIEVED_S)
        return known
