"""Writes of demands for traces; the traces themselves the rule engine writes (rules.engine.ledger)."""

import uuid

from django.db import transaction

from rules.models import TraceDemand
from rules.services.epoch import raise_epoch
from tenants.models import Tenant
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId
from thingsboard.kernel.time import now_ms

MOST_MESSAGES = 100
MOST_MINUTES = 60
MOST_ACTIVE = 20  # demands of a tenant
MINUTE_MS = 60_000


@transaction.atomic
def start_trace(
    tenant_id: uuid.UUID, originator: EntityId, *, messages: int, minutes: int, user_name: str = ""
) -> TraceDemand:
    """Have the next messages of an originator traced, which the caller has made sure is the tenant's: so many, for so long.

    A demand for the same originator is replaced. Raises BadRequest.
    """
    for name, value, most in (("messages", messages, MOST_MESSAGES), ("minutes", minutes, MOST_MINUTES)):
        if not 1 <= value <= most:
            raise BadRequest(f"{name}: expected a whole number from 1 to {most}")
    list(Tenant.objects.select_for_update().filter(pk=tenant_id).values_list("pk"))  # one at a time
    active = TraceDemand.objects.filter(tenant_id=tenant_id).active()
    active.filter(originator_id=originator.id).update(ended=True)
    if active.count() >= MOST_ACTIVE:
        raise BadRequest(f"At most {MOST_ACTIVE} traces may run at a time; end one, or wait.")
    made = TraceDemand.objects.create(
        tenant_id=tenant_id,
        originator_type=originator.type.value,
        originator_id=originator.id,
        messages=messages,
        until=now_ms() + minutes * MINUTE_MS,
        user_name=user_name[:255],
    )
    raise_epoch()
    return made


@transaction.atomic
def end_trace(demand: TraceDemand) -> None:
    """No further messages are traced by it; what was traced stays."""
    if TraceDemand.objects.filter(pk=demand.pk, ended=False).update(ended=True):
        raise_epoch()


@transaction.atomic
def end_expired() -> int:
    """End the demands whose time is over, so that ingest may go its short way again; returns how many."""
    ended = TraceDemand.objects.filter(ended=False, until__lte=now_ms()).update(ended=True)
    if ended:
        raise_epoch()
    return ended
