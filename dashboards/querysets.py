"""Reads of dashboards."""

from typing import Any, Self

from django.db import models
from django.db.models import Case, F, Prefetch, Q, Value, When
from django.db.models.functions import Length

from tenants.access import tenant_scope
from tenants.models import Customer
from thingsboard.kernel.entities import Action

LARGEST_LISTED_IMAGE = 65_536  # characters; a page of a thousand rows must stay bounded


class DashboardQuerySet(models.QuerySet[Any]):
    """Dashboards."""

    def visible_to(self, user: Any, action: Action = Action.VIEW) -> Self:
        """Tenant administrators see their tenant's, customer users those that are assigned to their customer, which they
        can look at and no more.
        """
        if action is not Action.VIEW or getattr(user, "authority", None) != "CUSTOMER_USER":
            return self.filter(tenant_scope(user))
        assigned = self.model.customers.through.objects.filter(tenant_scope(user, tenant="customer__tenant_id",
                                                                            customer="customer_id"))  # fmt: skip
        return self.filter(tenant_id=user.tenant_id, pk__in=assigned.values("dashboard"))

    def whole(self) -> Self:
        """With their configurations and images, which the default manager leaves in the database."""
        return self.defer(None)

    def listed(self) -> Self:
        """Annotated with `listed_image`: the image as far as it is short enough for a list, else null."""
        short = Case(
            When(image_length__lte=LARGEST_LISTED_IMAGE, then=F("image")),
            default=Value(None),
            output_field=models.TextField(null=True),
        )
        return self.annotate(image_length=Length("image")).annotate(listed_image=short)

    def with_customers(self, user: Any) -> Self:
        """With `shown_customers`: those that `user` may know of. A customer user learns of no other customer."""
        rows = Customer.objects.visible_to(user).order_by("title")
        return self.prefetch_related(Prefetch("customers", queryset=rows, to_attr="shown_customers"))

    def for_mobile(self) -> Self:
        """Those that are not hidden from mobile applications."""
        return self.filter(Q(mobile_hide=False))


class DashboardManager(models.Manager.from_queryset(DashboardQuerySet)):  # type: ignore[misc]
    """Leaves configurations and images, which are large, in the database until `whole()` asks for them."""

    def get_queryset(self) -> Any:
        """Without them."""
        return super().get_queryset().defer("configuration", "image")
