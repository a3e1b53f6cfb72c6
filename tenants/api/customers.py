"""/api/customer*: ThingsBoard's CustomerController (compat/rest.tsv)."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.contacts import contact_fields
from tenants.models import Customer
from tenants.permissions import InTenant, TenantAdmin, tenant_of
from tenants.services.customers import create_customer, delete_customer, is_public, update_customer
from tenants.services.documents import customer_json
from thingsboard.kernel.api import Query, TextRenderer, View, id_of, ids_of, object_of, path_uuid, text_of, version_of
from thingsboard.kernel.entities import Action, not_found
from thingsboard.kernel.errors import BadRequest, NotFound
from thingsboard.kernel.ids import EntityType
from thingsboard.kernel.naming import Uniquify
from thingsboard.kernel.paging import PageLink

_SORTABLE = {name: name for name in ("title", "email", "country", "state", "city", "address", "zip", "phone")}
_SORTABLE |= {"createdTime": "created_time", "name": "title"}


def visible_customer(request: Request, customer_id: str, action: Action = Action.VIEW) -> Customer:
    """The customer of a path. Raises NotFound, BadRequest for what is no UUID."""
    key = path_uuid(customer_id)
    found: Customer | None = Customer.objects.visible_to(request.user, action).filter(pk=key).first()
    if found is None:
        raise not_found(EntityType.CUSTOMER, key)
    return found


class Customers(View):
    """POST /api/customer"""

    permission_classes = [TenantAdmin]

    def post(self, request: Request) -> Response:
        """Create, or replace where the body has an id."""
        body = self.body(request)
        key = id_of(body, "id", EntityType.CUSTOMER)
        title, unique = text_of(body, "title"), Uniquify.of(Query(request))
        fields = {
            **contact_fields(body),
            "external_id": id_of(body, "externalId", EntityType.CUSTOMER),
            "additional_info": object_of(body, "additionalInfo"),
        }
        if key is None:
            saved = create_customer(tenant_of(request), title, unique=unique, **fields)
        else:
            found = visible_customer(request, str(key), Action.MANAGE)
            saved = update_customer(found, title, version=version_of(body), unique=unique, **fields)
        return Response(customer_json(saved))


class OneCustomer(View):
    """/api/customer/{id}"""

    permission_classes = [InTenant]

    def get_permissions(self) -> list[Any]:
        """Only administrators delete."""
        return [TenantAdmin()] if self.request.method == "DELETE" else list(super().get_permissions())

    def get(self, request: Request, customer_id: str) -> Response:
        """A Customer."""
        return Response(customer_json(visible_customer(request, customer_id)))

    def delete(self, request: Request, customer_id: str) -> Response:
        """Delete it with its users; its devices are nobody's then."""
        delete_customer(visible_customer(request, customer_id, Action.MANAGE))
        return Response()


class ShortInfo(View):
    """/api/customer/{id}/shortInfo"""

    permission_classes = [InTenant]

    def get(self, request: Request, customer_id: str) -> Response:
        """Its title, and whether it stands for everybody."""
        customer = visible_customer(request, customer_id)
        return Response({"title": customer.title, "isPublic": is_public(customer)})


class ApplicationText(TextRenderer):
    """The type that ThingsBoard names here."""

    media_type = "application/text"


class Title(View):
    """/api/customer/{id}/title"""

    permission_classes = [InTenant]

    def get(self, request: Request, customer_id: str) -> Response:
        """Bare text; an error is JSON as everywhere."""
        title = visible_customer(request, customer_id).title
        request.accepted_renderer = ApplicationText()
        request.accepted_media_type = ApplicationText.media_type
        return Response(title)


class CustomerOfTitle(View):
    """/api/tenant/customers?customerTitle="""

    permission_classes = [TenantAdmin]

    def get(self, request: Request) -> Response:
        """A Customer."""
        title = Query(request).get("customerTitle")
        if not title:
            raise BadRequest("Required request parameter 'customerTitle' is not present")
        found = Customer.objects.visible_to(request.user).filter(title=title).first()
        if found is None:
            raise NotFound("Requested item wasn't found!")
        return Response(customer_json(found))


class CustomerPage(View):
    """GET /api/customers: a page, or those of `?customerIds=`."""

    permission_classes = [TenantAdmin]

    def get(self, request: Request) -> Response:
        """PageData<Customer>, or a list."""
        query = Query(request)
        rows: QuerySet[Customer] = Customer.objects.visible_to(request.user)
        if "customerIds" in query:
            return Response([customer_json(row) for row in rows.filter(pk__in=ids_of(query, "customerIds"))])
        page = PageLink.of(query, sortable=_SORTABLE)
        return Response(page.apply(rows, search=("title", "email", "country", "city"), to_json=customer_json))


class CustomerList(View):
    """/api/customers/list?customerIds="""

    permission_classes = [TenantAdmin]

    def get(self, request: Request) -> Response:
        """List<Customer>; what the caller does not see is left out."""
        rows = Customer.objects.visible_to(request.user).filter(pk__in=ids_of(Query(request), "customerIds"))
        return Response([customer_json(row) for row in rows])
