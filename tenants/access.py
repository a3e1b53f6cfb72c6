"""Who may see what. Every read on behalf of a user passes `visible_to(user)`, whose rules are here and nowhere else.

This is the one module that may call django-guardian (shares come with the access issue).
"""

from typing import Any

from django.db.models import Q

from thingsboard.kernel.ids import EntityType


def tenant_scope(user: Any, *, tenant: str = "tenant_id", customer: str | None = None) -> Q:
    """The rows that `user` may see, as a filter over the named fields.

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


def is_system(user: Any) -> bool:
    """Whether `user` is an active system administrator."""
    return user is not None and getattr(user, "is_active", False) and user.authority == "SYS_ADMIN"


def may_write_values(user: Any, kind: EntityType) -> bool:
    """Whether `user` may write telemetry and attributes of entities of that kind, given that it sees them.

    Customer users write for what is assigned to them, never for their customer or what the tenant shares with it.
    """
    match user.authority:
        case "CUSTOMER_USER":
            return kind in {EntityType.DEVICE, EntityType.ASSET, EntityType.ENTITY_VIEW, EntityType.USER}
        case "TENANT_ADMIN":
            return kind is not EntityType.TENANT_PROFILE
        case _:
            return is_system(user)
