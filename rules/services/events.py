"""Writes of events of rule nodes, apart from those that the rule engine writes itself (rules.engine.ledger)."""

from collections.abc import Mapping
from typing import Any

from rules.engine.graph import Broken, build
from rules.engine.ledger import SERVER
from rules.models import EventType, RuleChain, RuleChainType, RuleEvent
from rules.querysets import RuleEventQuerySet
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.time import now_ms

MOST_CLEARED = 100_000  # by one request
LONGEST_ERROR = 4096  # characters


def note_started(chain: RuleChain, definition: Mapping[str, Any]) -> None:
    """Tell of every node of a new version whether it can work, as ThingsBoard does when it starts it (LC_EVENT, STARTED).

    In the transaction that saves the version.
    """
    if chain.type != RuleChainType.CORE:
        return
    now = now_ms()
    rows = []
    for raw in definition["nodes"]:
        node = build(raw)
        broken = isinstance(node, Broken)
        body = {"server": SERVER, "event": "STARTED", "success": "false" if broken else "true"}
        if isinstance(node, Broken):
            body["error"] = node.why[:LONGEST_ERROR].replace("\0", "")
        rows.append(
            RuleEvent(
                tenant_id=chain.tenant_id,
                created_time=now,
                type=EventType.LC_EVENT,
                entity_type=EntityType.RULE_NODE.value,
                entity_id=raw["id"],
                body=body,
            )
        )
    RuleEvent.objects.bulk_create(rows, batch_size=500)


def clear_events(rows: RuleEventQuerySet) -> int:
    """Delete these events of an entity; returns how many. Raises BadRequest for more than can be deleted at once."""
    keys = list(rows.order_by().values_list("pk", flat=True)[: MOST_CLEARED + 1])
    if len(keys) > MOST_CLEARED:
        raise BadRequest(f"More than {MOST_CLEARED} events; clear a shorter time")
    RuleEvent.objects.filter(pk__in=keys).delete()
    return len(keys)
