"""ThingsBoard's JSON of dashboards (compat/data_model.md 3): what its API answers, and what events carry."""

from collections.abc import Iterable
from typing import Any

from dashboards.querysets import LARGEST_LISTED_IMAGE
from tenants.models import Customer
from tenants.services.customers import is_public
from thingsboard.kernel.ids import EntityId, EntityType


def info_json(dashboard: Any, customers: Iterable[Customer] | None = None) -> dict[str, Any]:
    """A DashboardInfo with these customers, or those of a queryset `with_customers()`; in a list it is also `listed()`."""
    return {
        "id": EntityId(EntityType.DASHBOARD, dashboard.pk).to_json(),
        "createdTime": dashboard.created_time,
        "tenantId": EntityId(EntityType.TENANT, dashboard.tenant_id).to_json(),
        "title": dashboard.title,
        "image": dashboard.listed_image if hasattr(dashboard, "listed_image") else dashboard.image,
        "assignedCustomers": [
            {
                "customerId": EntityId(EntityType.CUSTOMER, customer.pk).to_json(),
                "title": customer.title,
                "public": is_public(customer),
            }
            for customer in (dashboard.shown_customers if customers is None else customers)
        ],
        "mobileHide": dashboard.mobile_hide,
        "mobileOrder": dashboard.mobile_order,
        "name": dashboard.title,
        "version": dashboard.version,
    }


def event_json(dashboard: Any, customers: Iterable[Customer]) -> dict[str, Any]:
    """A Dashboard as rule chains hear of it: without its configuration, and with an image that fits into a list."""
    external, image = dashboard.external_id, dashboard.image
    return {
        **info_json(dashboard, customers),
        "image": image if image is None or len(image) <= LARGEST_LISTED_IMAGE else None,
        "configuration": "",
        "externalId": EntityId(EntityType.DASHBOARD, external).to_json() if external else None,
    }
