"""Erasing what was measured of deleted entities: durable, in the background, in bounded slices (docs/decisions/0020).

A row of `telemetry_erasure` is written in the transaction that deletes the entity, so neither happens without the other.
Readers ask the entity door first, so everything is gone for them with that commit; `work_off` then removes the rows. It
may be killed at any time: what is left is still there to be found. Messages that were on their way when the entity went
may be stored after a pass over the tables, so there are three of them, with growing pauses between.
"""

import logging
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F, QuerySet

from telemetry.models import Erasure, TenantKey
from telemetry.store.removal import SLICE, Piece, pieces, remove_slice
from thingsboard.kernel.entities import registered
from thingsboard.kernel.ids import NULL_UUID, EntityId, EntityType
from thingsboard.kernel.time import now_ms

log = logging.getLogger(__name__)

RUN_SECONDS = 10.0
ENTITIES_AT_ONCE = 50
# After each pass: how many times TB_ERASURE_SETTLE_SECONDS until the next one. Sessions of a deleted device end within
# TB_TOKEN_CACHE_SECONDS; the long pause is for writers that waited for a database that was away.
PAUSES = (1, 10)
RETRY_MS = 60_000
KEPT_MS = 30 * 86_400_000  # how long what is done stays visible
_LOCK = 7_462_002  # one worker at a time: the work is the database's, two would only be in each other's way
_LONGEST_ERROR = 500
_AT_ONCE = 1000


def request(tenant_id: uuid.UUID, entities: Iterable[EntityId]) -> None:
    """Have everything that was measured of these entities erased. In the transaction that deletes them.

    `tenant_id` says who may watch. Asked for once more, the erasure of an entity begins anew.
    """
    now, remaining = now_ms(), iter(entities)
    while some := list(islice(remaining, _AT_ONCE)):
        Erasure.objects.bulk_create(
            [
                Erasure(
                    tenant_id=tenant_id, entity_type=kind.value, entity_id=key, requested_ms=now, due_ms=now, passes=0
                )
                for kind, key in ((entity.type, entity.id) for entity in some)
            ],
            update_conflicts=True,
            unique_fields=["entity_id"],
            update_fields=["tenant_id", "entity_type", "requested_ms", "due_ms", "passes", "done_ms", "error"],
        )


@transaction.atomic
def request_tenant(tenant_id: uuid.UUID) -> None:
    """Have everything erased that was measured of a tenant and of all its entities, and its use of keys forgotten.

    To be called while they are still there: they are found through the entity door.
    """
    for kind, door in registered().items():
        if door.tenant_field and door.has_values:
            rows = door.model._default_manager.filter(**{door.tenant_field: tenant_id})
            found = rows.values_list("pk", flat=True).iterator(chunk_size=_AT_ONCE)
            request(tenant_id, (EntityId(kind, key) for key in found))
    TenantKey.objects.filter(tenant_id=tenant_id).delete()


def take_leave(kind: EntityType, ids: Collection[uuid.UUID], tenant_id: uuid.UUID | None) -> None:
    """What telemetry does when entities of any kind are about to be deleted (`thingsboard.kernel.entities.before_delete`)."""
    if kind is EntityType.TENANT:
        for key in ids:
            request_tenant(key)
    elif kind not in registered() or registered()[kind].has_values:
        request(tenant_id or NULL_UUID, (EntityId(kind, key) for key in ids))


def work_off(seconds: float = RUN_SECONDS, slice_rows: int = SLICE) -> int:
    """Do what is due, for about so many seconds; the number of rows removed. Does nothing while another one does it."""
    removed = 0
    with _alone() as alone:
        if alone:
            deadline = time.monotonic() + seconds
            while batch := list(_due()[:ENTITIES_AT_ONCE]):
                removed += _pass(batch, deadline, slice_rows)
                if time.monotonic() >= deadline:
                    break
            Erasure.objects.filter(done_ms__lt=now_ms() - KEPT_MS).delete()
    return removed


def _due() -> QuerySet[Erasure]:
    return Erasure.objects.open().filter(due_ms__lte=now_ms()).order_by("due_ms", "id")


def _pass(batch: Sequence[Erasure], deadline: float, slice_rows: int) -> int:
    """One pass over all tables for some entities, or as much of it as there is time for; the rows removed.

    What fails is logged, shown, and tried again after a minute, so that the erasures behind it have their turn.
    """
    entities = [erasure.entity_id for erasure in batch]
    removed = 0
    try:
        with connection.cursor() as cursor:
            found = pieces(cursor)
        for piece in found:
            more = True
            while more:
                if time.monotonic() >= deadline:
                    return removed
                counts, more = _slice(piece, entities, slice_rows)
                removed += sum(counts.values())
    except DatabaseError as error:
        log.exception("Erasing what was measured of %d deleted entities failed; it is tried again.", len(batch))
        text = str(error).strip()[:_LONGEST_ERROR] or type(error).__name__
        _open(entities).update(error=text, due_ms=now_ms() + RETRY_MS)
        return removed
    _complete(batch)
    return removed


@transaction.atomic
def _slice(piece: Piece, entities: Sequence[uuid.UUID], rows: int) -> tuple[dict[uuid.UUID, int], bool]:
    """One transaction: rows removed, and counted where everybody can see it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '5s'")
        counts, more = remove_slice(cursor, piece, entities, rows)
    for key, count in counts.items():
        Erasure.objects.filter(entity_id=key).update(deleted_rows=F("deleted_rows") + count)
    return counts, more


def _complete(batch: Sequence[Erasure]) -> None:
    """Say that a pass is over: done after the last one, else the next one is due after its pause.

    Whoever was asked for anew meanwhile has another `requested_ms` and begins anew.
    """
    now = now_ms()
    for erasure in batch:
        rows = Erasure.objects.filter(pk=erasure.pk, requested_ms=erasure.requested_ms, passes=erasure.passes)
        if erasure.passes < len(PAUSES):
            pause = int(PAUSES[erasure.passes] * settings.TB_ERASURE_SETTLE_SECONDS * 1000)
            rows.update(passes=F("passes") + 1, due_ms=now + pause, error="")
        else:
            rows.update(passes=F("passes") + 1, done_ms=now, error="")


def _open(entities: Sequence[uuid.UUID]) -> QuerySet[Erasure]:
    return Erasure.objects.open().filter(entity_id__in=entities)


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether nobody else is at it; then nobody will be until the end. The lock ends with its connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        alone = bool(cursor.fetchone()[0])
    try:
        yield alone
    finally:
        if alone and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
