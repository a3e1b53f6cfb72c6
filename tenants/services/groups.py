"""Writes of groups of users."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet

from tenants.models import ActionType, Authority, User, UserGroup
from tenants.services import audit
from thingsboard.kernel.constraints import refusing
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityType

_TAKEN = {"user_group_name": "User group with such name already exists!"}
MOST_MEMBERS = 1000  # of one request


@transaction.atomic
def create_user_group(tenant_id: uuid.UUID, name: str, *, additional_info: dict[str, Any] | None = None) -> UserGroup:
    """A group of the tenant. Raises BadRequest for an empty or taken name."""
    group = UserGroup(tenant_id=tenant_id, name=_named(name), additional_info=additional_info)
    with audit.deed(ActionType.ADDED, EntityType.USER_GROUP, group) as entry:
        # Django's groups have names that are unique on the whole platform; nobody sees them.
        group.group = Group.objects.create(name=f"user group {group.pk}")
        with refusing(_TAKEN):
            group.save(force_insert=True)
        entry.after(group)
    return group


@transaction.atomic
def update_user_group(group: UserGroup, name: str, *, additional_info: dict[str, Any] | None = None) -> UserGroup:
    """Rename it. Raises BadRequest for an empty or taken name."""
    group = UserGroup.objects.select_for_update().get(pk=group.pk)
    with audit.deed(ActionType.UPDATED, EntityType.USER_GROUP, group) as entry:
        entry.before(group)
        group.name, group.additional_info = _named(name), additional_info
        group.version += 1
        with refusing(_TAKEN):
            group.save()
        entry.after(group)
    return group


@transaction.atomic
def delete_user_group(group: UserGroup) -> None:
    """Delete it, with what was shared with it."""
    with audit.deed(ActionType.DELETED, EntityType.USER_GROUP, group) as entry:
        entry.before(group)
        group.group.delete()  # cascades to the group itself and to every share with it


def forget_groups(groups: QuerySet[UserGroup]) -> None:
    """Delete the groups of a tenant that goes."""
    Group.objects.filter(pk__in=list(groups.values_list("group_id", flat=True))).delete()


@transaction.atomic
def add_members(group: UserGroup, users: Iterable[uuid.UUID]) -> None:
    """Take customer users of the same tenant in. Raises BadRequest when one of them is none; then nobody is taken in."""
    found = _customer_users(group, users)
    with audit.deed(ActionType.UPDATED, EntityType.USER_GROUP, group) as entry:
        group.group.user_set.add(*found)
        entry.after({"added_members": [user.email for user in found]})


@transaction.atomic
def remove_members(group: UserGroup, users: Iterable[uuid.UUID]) -> None:
    """Dismiss users; what was shared with the group is theirs no more, at once. Who is no member counts for nothing."""
    found = list(group.members.filter(pk__in=list(users)[:MOST_MEMBERS]))
    with audit.deed(ActionType.UPDATED, EntityType.USER_GROUP, group) as entry:
        group.group.user_set.remove(*found)
        entry.after({"removed_members": [user.email for user in found]})


def _customer_users(group: UserGroup, users: Iterable[uuid.UUID]) -> list[User]:
    wanted = set(users)
    if len(wanted) > MOST_MEMBERS:
        raise BadRequest(f"Too many members: {len(wanted)}; at most {MOST_MEMBERS} at a time")
    rows = User.objects.filter(tenant_id=group.tenant_id, authority=Authority.CUSTOMER_USER, pk__in=wanted)
    found = list(rows.order_by("email"))
    missing = wanted - {user.pk for user in found}
    if missing:
        raise BadRequest(f"Not a customer user of this tenant: {min(map(str, missing))}")
    return found


def _named(name: str) -> str:
    if not name.strip():
        raise BadRequest("User group name should be specified!")
    return name.strip()
