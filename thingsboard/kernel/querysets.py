"""Reads of what the kernel keeps for the floors above."""

from typing import Any, Self

from django.db import models

from thingsboard.kernel.entities import Action


class DeadLetterQuerySet(models.QuerySet[Any]):
    """Messages that could not be processed."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Tenant administrators see and handle their tenant's, system administrators all: why a message could not be
        processed may be theirs to mend (a worker, a server, a certificate). Nobody else sees any.
        """
        authority = getattr(user, "authority", None) if getattr(user, "is_active", False) else None
        if authority == "SYS_ADMIN":
            return self.all()
        return self.filter(tenant_id=user.tenant_id) if authority == "TENANT_ADMIN" else self.none()

    def listed(self) -> Self:
        """Without their messages, which may be large."""
        return self.defer("body")
