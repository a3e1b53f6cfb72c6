"""Dead letters: messages that the rule chains could not process, kept until somebody runs them again or drops them.

The drain makes them (kernel/outbox/dead.py), in the transaction that takes the message off its queue; they go back in one, too.
Nothing is lost and nothing is done twice: a message is in its queue or among the dead letters, never in both.
"""

import logging
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import orjson
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, QuerySet

from tenants.models import ActionType, Tenant
from tenants.services import audit
from thingsboard.kernel import outbox
from thingsboard.kernel.entities import registered
from thingsboard.kernel.errors import BadRequest, NotFound
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.models import DeadLetter, Effect
from thingsboard.kernel.outbox import Message
from thingsboard.kernel.time import now_ms

log = logging.getLogger(__name__)

BITE = 100  # letters of one transaction; each may have a megabyte
# Letters that one call of `retry_all` or `drop_all` handles: whoever asked is answered in time, and asks again.
MOST_AT_ONCE = 10_000
TRIMMED_AT_ONCE = 5_000
DAY_MS = 86_400_000
# What the audit log calls it.
RUN_AGAIN, DROPPED = "dead_letters_run_again", "dead_letters_dropped"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a letter's message says. `data` is JSON where the text is, else the text; `trouble` why it cannot be read."""

    metadata: dict[str, str] | None = None
    data: Any = None
    ts: int | None = None  # ms since 1970
    customer_id: uuid.UUID | None = None
    trouble: str = ""


def contents(letter: DeadLetter) -> Contents:
    """The message of a letter, decoded; what cannot be is no error, because somebody must still be able to drop it."""
    try:
        message = _message(letter)
    except ValueError as error:
        return Contents(trouble=f"The message cannot be read: {error}")
    try:
        data = orjson.loads(message.data)
    except ValueError:
        data = bytes(message.data).decode(errors="replace")
    metadata = None if message.metadata is None else dict(message.metadata)
    return Contents(metadata, data, message.ts, message.customer_id)


def _message(letter: DeadLetter) -> Message:
    """Raises ValueError for a body that is none."""
    try:
        (message,) = outbox.decode(bytes(letter.body))
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from None
    except (TypeError, IndexError) as error:
        raise ValueError(str(error)) from None
    return message


Names = Mapping[tuple[str, uuid.UUID | None], str]


def names_of(letters: Iterable[DeadLetter]) -> Names:
    """How what these letters are about is called, by kind and id: originators, chains, nodes, tenants; a query for each
    kind. What is gone is left out.
    """
    wanted: dict[str, set[uuid.UUID]] = defaultdict(set)
    for letter in letters:
        wanted[letter.originator_type].add(letter.originator_id)
        wanted[EntityType.TENANT].add(letter.tenant_id)
        for kind, key in ((EntityType.RULE_CHAIN, letter.chain_id), (EntityType.RULE_NODE, letter.node_id)):
            if key is not None:
                wanted[kind].add(key)
    doors = {kind.value: door for kind, door in registered().items()}
    return {
        (kind, found.pk): str(found)
        for kind, keys in wanted.items()
        if kind in doors
        for found in doors[kind].model._default_manager.filter(pk__in=keys)
    }


# What an operator does with them.


class Done(NamedTuple):
    """What became of a call: letters that were handled, unreadable ones that were left, and whether there are more."""

    done: int
    unreadable: int = 0
    more: bool = False


def retry(letter: DeadLetter) -> None:
    """Run it again: back to the end of its queue. Raises NotFound when it is gone, BadRequest when it cannot be read."""
    with transaction.atomic():
        found = _held(letter)
        try:
            message = _message(found)
        except ValueError as error:
            raise BadRequest(f"The message cannot be read: {error}. It can only be dropped.") from None
        _note(RUN_AGAIN, [found])
        outbox.append(found.tenant_id, message, queue=found.queue)
        found.delete()


def drop(letter: DeadLetter) -> None:
    """Forget it. Raises NotFound when it is gone."""
    with transaction.atomic():
        found = _held(letter)
        _note(DROPPED, [found])
        found.delete()


def retry_all(letters: QuerySet[DeadLetter]) -> Done:
    """Run these again, the oldest first, a bite in each transaction. What is buried meanwhile is left: it may be what
    failed anew.
    """
    return _in_bites(letters, _retry)


def drop_all(letters: QuerySet[DeadLetter]) -> Done:
    """Forget these, a bite in each transaction."""
    return _in_bites(letters.defer("body"), _drop)


def _held(letter: DeadLetter) -> DeadLetter:
    """The row, locked: whoever handles it at the same time finds it gone. Raises NotFound."""
    found = DeadLetter.objects.select_for_update().filter(pk=letter.pk).first()
    if found is None:
        raise NotFound(f"Dead letter with id [{letter.pk}] is not found")
    return found


def _in_bites(letters: QuerySet[DeadLetter], handle: Callable[[list[DeadLetter]], int]) -> Done:
    last = letters.order_by("pk").aggregate(last=Max("pk"))["last"]
    rows = letters.filter(pk__lte=last or 0).order_by("pk")
    at = done = seen = 0
    while seen < MOST_AT_ONCE:
        with transaction.atomic():
            bite = list(rows.filter(pk__gt=at).select_for_update(skip_locked=True)[:BITE])
            if not bite:
                return Done(done, seen - done)
            at, seen = bite[-1].pk, seen + len(bite)
            done += handle(bite)
    return Done(done, seen - done, more=rows.filter(pk__gt=at).exists())


def _retry(letters: list[DeadLetter]) -> int:
    messages: dict[tuple[uuid.UUID, str], list[Message]] = defaultdict(list)
    readable = []
    for letter in letters:
        with suppress(ValueError):
            messages[letter.tenant_id, letter.queue].append(_message(letter))
            readable.append(letter)
    for (tenant_id, queue), those in messages.items():
        outbox.append_many(tenant_id, those, queue=queue)
    return _remove(RUN_AGAIN, readable)


def _drop(letters: list[DeadLetter]) -> int:
    return _remove(DROPPED, letters)


def _remove(deed: str, letters: list[DeadLetter]) -> int:
    if letters:
        _note(deed, letters)
        DeadLetter.objects.filter(pk__in=[letter.pk for letter in letters]).delete()
    return len(letters)


def _note(deed: str, letters: list[DeadLetter]) -> None:
    """In the audit log of each tenant: what was done with which of its letters."""
    by_tenant: dict[uuid.UUID, list[DeadLetter]] = defaultdict(list)
    for letter in letters:
        by_tenant[letter.tenant_id].append(letter)
    for tenant_id, those in by_tenant.items():
        told: dict[str, Any] = {"count": len(those), "ids": [letter.pk for letter in those]}
        if len(those) == 1:
            told |= {"message": str(those[0]), "message_id": str(those[0].message_id)}
        tenant = Tenant.objects.filter(pk=tenant_id).first() or Tenant(pk=tenant_id)
        audit.record(ActionType.UPDATED, EntityType.TENANT, tenant, {deed: told})


# How many are kept.


def trim() -> int:
    """Remove those older than TB_DEAD_LETTERS_DAYS, and of each tenant all but the newest TB_DEAD_LETTERS_PER_TENANT; returns
    how many. The log says who lost some to the number: nobody has read them perhaps.
    """
    horizon = now_ms() - settings.TB_DEAD_LETTERS_DAYS * DAY_MS
    removed = _remove_slices(DeadLetter.objects.filter(created_time__lt=horizon).order_by("created_time"))
    most: int = settings.TB_DEAD_LETTERS_PER_TENANT
    counted = DeadLetter.objects.order_by().values("tenant_id").annotate(number=Count("pk")).filter(number__gt=most)
    for tenant_id in list(counted.values_list("tenant_id", flat=True)):
        own = DeadLetter.objects.filter(tenant_id=tenant_id).order_by("-pk")
        oldest_kept = own.values_list("pk", flat=True)[most - 1 : most].first()
        surplus = _remove_slices(own.filter(pk__lt=oldest_kept or 0))
        if surplus:
            log.warning("Tenant %s has over %d dead letters: the oldest %d were removed.", tenant_id, most, surplus)
        removed += surplus
    return removed


def forget_tenants(kind: EntityType, ids: Collection[uuid.UUID], tenant_id: uuid.UUID | None) -> None:
    """What goes with tenants that are about to be deleted. What is still in a queue then, and fails, goes by age."""
    if kind is EntityType.TENANT:
        DeadLetter.objects.filter(tenant_id__in=ids).delete()
        Effect.objects.filter(tenant_id__in=ids).delete()


def _remove_slices(rows: QuerySet[DeadLetter]) -> int:
    """Each slice is a transaction of its own: what is done stays done."""
    removed = 0
    while True:
        gone, _ = DeadLetter.objects.filter(pk__in=rows.values("pk")[:TRIMMED_AT_ONCE]).delete()
        removed += gone
        if gone < TRIMMED_AT_ONCE:
            return removed
