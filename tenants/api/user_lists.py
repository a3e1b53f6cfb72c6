"""/api/users*: lists of users."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.shapes import user_email_json
from tenants.models import Authority, Customer, Tenant, User
from tenants.permissions import InTenant, SystemAdmin, TenantAdmin
from tenants.services.documents import user_json
from thingsboard.kernel.api import Query, View, path_uuid
from thingsboard.kernel.entities import not_found
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.paging import PageLink

MOST_IDS = 1000
SORTABLE = {
    "createdTime": "created_time",
    "email": "email",
    "name": "email",
    "authority": "authority",
    "firstName": "first_name",
    "lastName": "last_name",
}
SEARCHED = ("email", "first_name", "last_name")


def page_of(request: Request, rows: QuerySet[User], shape: Callable[[User], Any] = user_json) -> Response:
    """A PageData of these users."""
    link = PageLink.of(Query(request), sortable=SORTABLE)
    return Response(link.apply(rows, search=SEARCHED, to_json=shape))


class UsersByIds(View):
    """GET /api/users/list?userIds="""

    permission_classes = [InTenant]

    def get(self, request: Request) -> Response:
        """The users with these ids (comma-separated or repeated), as far as the caller sees them; by e-mail."""
        texts = [text.strip() for value in Query(request).all("userIds") for text in value.split(",")]
        keys = {path_uuid(text) for text in texts if text}
        if not keys:
            raise BadRequest("Required request parameter 'userIds' is not present")
        if len(keys) > MOST_IDS:
            raise BadRequest(f"userIds: expected at most {MOST_IDS}")
        rows = User.objects.visible_to(request.user).filter(pk__in=keys).order_by("email")
        return Response([user_json(user) for user in rows])


class AllUsers(UsersByIds):
    """GET /api/users: a page, or the users of `?userIds=`."""

    def get(self, request: Request) -> Response:
        """PageData<User> of the caller's tenant, or of its customer; or User[]."""
        if "userIds" in Query(request):
            return super().get(request)
        return page_of(request, User.objects.visible_to(request.user))


class UserInfos(View):
    """GET /api/users/info"""

    permission_classes = [InTenant]

    def get(self, request: Request) -> Response:
        """PageData<UserEmailInfo> of the same users."""
        return page_of(request, User.objects.visible_to(request.user), user_email_json)


class TenantAdmins(View):
    """GET /api/tenant/{tenantId}/users"""

    permission_classes = [SystemAdmin]

    def get(self, request: Request, tenant_id: str) -> Response:
        """PageData<User> of a tenant's administrators."""
        key = path_uuid(tenant_id)
        if not Tenant.objects.visible_to(request.user).filter(pk=key).exists():
            raise not_found(EntityType.TENANT, key)
        rows = User.objects.visible_to(request.user)
        return page_of(request, rows.filter(tenant_id=key, authority=Authority.TENANT_ADMIN))


class CustomerUsers(View):
    """GET /api/customer/{customerId}/users"""

    permission_classes = [TenantAdmin]

    def get(self, request: Request, customer_id: str) -> Response:
        """PageData<User> of a customer."""
        key = path_uuid(customer_id)
        if not Customer.objects.visible_to(request.user).filter(pk=key).exists():
            raise not_found(EntityType.CUSTOMER, key)
        return page_of(request, User.objects.visible_to(request.user).filter(customer_id=key))
