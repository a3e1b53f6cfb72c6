"""Where a user belongs: decided by who asks, never simply taken from a request's body."""

import uuid
from typing import NamedTuple

from tenants.models import Authority, Customer, Tenant, User
from thingsboard.kernel.entities import not_found
from thingsboard.kernel.errors import BadRequest, Forbidden
from thingsboard.kernel.ids import EntityType


class Place(NamedTuple):
    """An authority, and what it is the authority over."""

    authority: Authority
    tenant: Tenant | None
    customer: Customer | None


class Wish(NamedTuple):
    """What a body says about a user's place; "" and None where it says nothing."""

    authority: str = ""
    tenant_id: uuid.UUID | None = None
    customer_id: uuid.UUID | None = None


def place_for(by: User, wish: Wish) -> Place:
    """The place of a user that `by` makes.

    System administrators make each other, and administrators of a tenant that they name. Tenant administrators make each
    other in their own tenant, whichever the body names, and users of customers of that tenant. Raises Forbidden for what
    is not theirs to make, NotFound for a tenant or customer that they do not see, BadRequest for an incomplete wish.
    """
    authority = _authority(wish.authority)
    match by.authority, authority:
        case Authority.SYS_ADMIN, Authority.SYS_ADMIN:
            if wish.tenant_id is not None or wish.customer_id is not None:
                raise BadRequest("SYS_ADMIN: expected no tenant and no customer.")
            return Place(authority, None, None)
        case Authority.SYS_ADMIN, Authority.TENANT_ADMIN:
            _require_no_customer(wish)
            return Place(authority, _tenant(by, wish.tenant_id), None)
        case Authority.TENANT_ADMIN, Authority.TENANT_ADMIN:
            _require_no_customer(wish)
            return Place(authority, by.tenant, None)
        case Authority.TENANT_ADMIN, Authority.CUSTOMER_USER:
            return Place(authority, by.tenant, _customer(by, wish.customer_id))
        case _:
            raise Forbidden


def require_same_place(user: User, wish: Wish) -> None:
    """Raise BadRequest when the body would move an existing user (ThingsBoard's words); what is absent stays."""
    if wish.authority and _authority(wish.authority) != user.authority:
        raise BadRequest("Can't update user authority!")
    if wish.tenant_id not in {None, user.tenant_id}:
        raise BadRequest("Can't update user tenant id!")
    if wish.customer_id not in {None, user.customer_id}:
        raise BadRequest("Can't update user customer id!")


def _authority(name: str) -> Authority:
    if name not in Authority.values:
        raise BadRequest(f"authority: expected one of {', '.join(Authority.values)}")
    return Authority(name)


def _require_no_customer(wish: Wish) -> None:
    if wish.customer_id is not None:
        raise BadRequest("TENANT_ADMIN: expected a tenant and no customer.")


def _tenant(by: User, tenant_id: uuid.UUID | None) -> Tenant:
    if tenant_id is None:
        raise BadRequest("TENANT_ADMIN: expected the id of its tenant.")
    tenant: Tenant | None = Tenant.objects.visible_to(by).filter(pk=tenant_id).first()
    if tenant is None:
        raise not_found(EntityType.TENANT, tenant_id)
    return tenant


def _customer(by: User, customer_id: uuid.UUID | None) -> Customer:
    if customer_id is None:
        raise BadRequest("CUSTOMER_USER: expected the id of its customer.")
    customer: Customer | None = Customer.objects.visible_to(by).filter(pk=customer_id).first()
    if customer is None:
        raise not_found(EntityType.CUSTOMER, customer_id)
    return customer
