"""Reads of what is being erased."""

from typing import Any

from django.db.models import QuerySet

from tenants.access import is_system, tenant_scope


class ErasureQuerySet(QuerySet[Any]):
    """Erasures as chainable adjectives."""

    def visible_to(self, user: Any) -> "ErasureQuerySet":
        """A tenant's own for its administrators, all for system administrators, none for anybody else."""
        return self.all() if is_system(user) else self.filter(tenant_scope(user))

    def open(self) -> "ErasureQuerySet":
        """Those with something left to do."""
        return self.filter(done_ms=None)
