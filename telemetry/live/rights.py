"""News that somebody may see less than before: whoever serves a live subscription asks again.

Told after the commit, over the bus: of every entity that is saved or deleted, of every share that is withdrawn, of every
group that loses a member. It says who and what may be concerned, not what has changed: the entity door is asked for that.
"""

import uuid
from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save

from tenants.access import GroupShareBase, UserShareBase
from tenants.models import User
from tenants.services import session_cache
from thingsboard.kernel import bus
from thingsboard.kernel.entities import before_delete, registered
from thingsboard.kernel.ids import EntityType

CHANNEL = "rights"  # {"tenantId": uuid or null, "entities": [uuid] or null}; null: of any tenant, all entities
MOST_NAMED = 100


def announce(tenant_id: uuid.UUID | None, entities: Collection[uuid.UUID] | None = None) -> None:
    """Rights to these entities of a tenant (None: to any of them) are changing in this transaction."""
    named = None if entities is None or len(entities) > MOST_NAMED else [str(each) for each in entities]
    word = {"tenantId": None if tenant_id is None else str(tenant_id), "entities": named}
    transaction.on_commit(lambda: bus.publish(CHANNEL, word), robust=True)


def read(word: dict[str, Any]) -> tuple[uuid.UUID | None, set[uuid.UUID] | None]:
    """Tenant and entities of an announcement."""
    tenant, entities = word["tenantId"], word["entities"]
    return (
        None if tenant is None else uuid.UUID(tenant),
        None if entities is None else {uuid.UUID(each) for each in entities},
    )


def notice() -> None:
    """From now on, hear of everything that may take rights away. For `ready()`."""
    before_delete(_leaves)
    post_save.connect(_saved, dispatch_uid="live.rights.saved")
    post_delete.connect(_deleted, dispatch_uid="live.rights.deleted")
    m2m_changed.connect(_membership, dispatch_uid="live.rights.membership")


def _leaves(kind: EntityType, ids: Collection[uuid.UUID], tenant_id: uuid.UUID | None) -> None:
    announce(tenant_id, ids)


def _saved(sender: type[Model], instance: Any, created: bool, **_: Any) -> None:
    """An entity may have got another owner."""
    if not created and any(door.model is sender for door in registered().values()):
        announce(None, [instance.pk])


def _deleted(sender: Any, instance: Any, **_: Any) -> None:
    """A share was withdrawn. Where the shared thing itself went, that is told by whoever deletes it."""
    if issubclass(sender, UserShareBase | GroupShareBase):
        shared = sender._meta.get_field("content_object").related_model
        rows = shared._default_manager.filter(pk=instance.content_object_id)
        for tenant_id in rows.values_list("tenant_id", flat=True):
            announce(tenant_id)


def _membership(sender: type[Model], instance: Any, action: str, pk_set: set[Any] | None, **_: Any) -> None:
    """Somebody was dismissed from a group of users, or a thing taken out of a group of things."""
    if action not in ("post_remove", "pre_clear"):
        return
    if sender is User.groups.through:
        users = pk_set if isinstance(instance, Group) else {instance.pk}
        for user_id in users if users is not None else instance.user_set.values_list("pk", flat=True):
            session_cache.announce(user_id)
    elif getattr(instance, "tenant_id", None) is not None:
        announce(instance.tenant_id)
