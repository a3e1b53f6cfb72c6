"""Who may do what. Every read on behalf of a user passes `visible_to(user, action)`, whose rules are here and nowhere else.

Three things are asked, in this order: the authority, the place (tenant, customer), and the shares that somebody was given
beyond it. Nothing is remembered between two questions, so what is withdrawn is gone with the next one.

This is the one module that calls django-guardian.
"""

from typing import Any

from django.db.models import Model, Q, QuerySet
from guardian.models import GroupObjectPermissionBase as GroupShareBase
from guardian.models import UserObjectPermissionBase as UserShareBase
from guardian.shortcuts import assign_perm, get_objects_for_user, remove_perm

from thingsboard.kernel.entities import Action
from thingsboard.kernel.ids import EntityType

__all__ = [
    "SHAREABLE",
    "Action",
    "GroupShareBase",  # for the tables of shares, which every app has for its own things
    "UserShareBase",
    "is_system",
    "may_write_values",
    "share",
    "shared_with",
    "takes_shares",
    "tenant_scope",
    "withdraw",
]

# What a share may allow, each with the permissions that allow it. Nothing that is shared can be managed.
SHAREABLE = {Action.VIEW: ("view", "control"), Action.CONTROL: ("control",)}


def tenant_scope(user: Any, *, tenant: str = "tenant_id", customer: str | None = None) -> Q:
    """The rows that are within `user`'s place, as a filter over the named fields.

    A system administrator sees no tenant's things (compat/summary.md, "Roles": tenants, profiles and settings only), a
    tenant administrator its tenant's, a customer user what carries its customer; without a customer field it sees none.
    Nobody, an inactive user and anything unknown see nothing.
    """
    nothing = Q(pk__in=[])
    if user is None or not getattr(user, "is_active", False):
        return nothing
    match user.authority:
        case "TENANT_ADMIN":
            return Q(**{tenant: user.tenant_id})
        case "CUSTOMER_USER" if customer is not None:
            return Q(**{tenant: user.tenant_id, customer: user.customer_id})
        case _:
            return nothing


def takes_shares(user: Any, action: Action) -> bool:
    """Whether a share can let `user` do this: customer users only, since administrators need none, and never to manage."""
    return action in SHAREABLE and getattr(user, "is_active", False) and user.authority == "CUSTOMER_USER"


def shared_with(user: Any, action: Action, model: type[Model]) -> QuerySet[Any]:
    """The keys of the objects of `model` that were shared with the user or one of its groups, as a subquery.

    Only within the user's tenant, whatever the tables of shares say. `takes_shares` must have said yes.
    """
    permissions = [f"{model._meta.app_label}.{word}_{model._meta.model_name}" for word in SHAREABLE[action]]
    found = get_objects_for_user(
        user, permissions, model, any_perm=True, with_superuser=False, accept_global_perms=False
    )
    return found.filter(tenant_id=user.tenant_id).values("pk")


def share(target: Model, holder: Any, action: Action) -> None:
    """Let a user, or the members of a Django group, do this with `target`; replaces what they were allowed before.

    That both are of one tenant is the caller's to check (tenants/services/shares.py).
    """
    withdraw(target, holder)
    assign_perm(f"{action.value}_{target._meta.model_name}", holder, target)


def withdraw(target: Model, holder: Any) -> None:
    """Take back whatever was shared."""
    for action in SHAREABLE:
        remove_perm(f"{action.value}_{target._meta.model_name}", holder, target)


def is_system(user: Any) -> bool:
    """Whether `user` is an active system administrator."""
    return user is not None and getattr(user, "is_active", False) and user.authority == "SYS_ADMIN"


def may_write_values(user: Any, kind: EntityType) -> bool:
    """Whether `user` may write telemetry and attributes of that kind of entity at all; which ones, `CONTROL` says.

    Customer users write for what is assigned to them or shared for control, never for their customer or what the tenant
    shares with it.
    """
    match user.authority:
        case "CUSTOMER_USER":
            return kind in {EntityType.DEVICE, EntityType.ASSET, EntityType.ENTITY_VIEW, EntityType.USER}
        case "TENANT_ADMIN":
            return kind not in {EntityType.TENANT_PROFILE, EntityType.ALARM, EntityType.RULE_NODE}
        case _:
            return is_system(user)
