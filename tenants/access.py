"""Who may see what. Every read on behalf of a user passes `visible_to(user)`, whose rules are here and nowhere else.

This is the one module that may call django-guardian (shares come with the access issue).
"""

from typing import Any

from django.db.models import Q


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
