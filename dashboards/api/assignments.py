"""To which customers a dashboard is assigned (compat/rest.tsv, DashboardController). Every answer is the Dashboard."""

import uuid
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from dashboards.api.dashboards import answer, visible_dashboard
from dashboards.services.dashboards import (
    MOST_CUSTOMERS,
    add_customers,
    assign_dashboard,
    publish_dashboard,
    remove_customers,
    set_customers,
    unassign_dashboard,
)
from tenants.api.customers import visible_customer
from tenants.models import Customer
from tenants.permissions import TenantAdmin
from tenants.services.customers import PUBLIC
from thingsboard.kernel.api import View, path_uuid
from thingsboard.kernel.entities import Action
from thingsboard.kernel.errors import BadRequest


class Assignment(View):
    """/api/customer/{customerId}/dashboard/{dashboardId}"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request, customer_id: str, dashboard_id: str) -> Response:
        """Assign it."""
        customer = visible_customer(request, customer_id)
        return answer(request, assign_dashboard(_dashboard(request, dashboard_id), customer))

    def delete(self, request: Request, customer_id: str, dashboard_id: str) -> Response:
        """Take it away."""
        customer = visible_customer(request, customer_id)
        return answer(request, unassign_dashboard(_dashboard(request, dashboard_id), customer))


class PublicAssignment(View):
    """/api/customer/public/dashboard/{dashboardId}"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request, dashboard_id: str) -> Response:
        """Assign it to the public customer."""
        return answer(request, publish_dashboard(_dashboard(request, dashboard_id)))

    def delete(self, request: Request, dashboard_id: str) -> Response:
        """Take it from the public customer."""
        dashboard = _dashboard(request, dashboard_id)
        public = Customer.objects.visible_to(request.user).filter(title=PUBLIC, additional_info__isPublic=True).first()
        return answer(request, dashboard if public is None else unassign_dashboard(dashboard, public))


class Customers(View):
    """POST /api/dashboard/{dashboardId}/customers"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request, dashboard_id: str) -> Response:
        """Assign it to exactly the customers of the body; to none where it is empty."""
        return answer(request, set_customers(_dashboard(request, dashboard_id), _ids(request)))


class AddCustomers(View):
    """POST /api/dashboard/{dashboardId}/customers/add"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request, dashboard_id: str) -> Response:
        """Assign it to these customers, too."""
        return answer(request, add_customers(_dashboard(request, dashboard_id), _ids(request)))


class RemoveCustomers(View):
    """POST /api/dashboard/{dashboardId}/customers/remove"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request, dashboard_id: str) -> Response:
        """Take it from these customers."""
        return answer(request, remove_customers(_dashboard(request, dashboard_id), _ids(request)))


def _dashboard(request: Request, dashboard_id: str) -> Any:
    return visible_dashboard(request, dashboard_id, Action.MANAGE)


def _ids(request: Request) -> list[uuid.UUID]:
    """The body: an array of ids; nothing and null are none. Raises BadRequest."""
    listed = request.data or []
    if not isinstance(listed, list) or len(listed) > MOST_CUSTOMERS:
        raise BadRequest(f"Expected an array of at most {MOST_CUSTOMERS} ids of customers")
    return [path_uuid(each) for each in listed]
