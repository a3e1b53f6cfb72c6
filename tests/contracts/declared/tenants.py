"""Tenants, their profiles, customers, users, groups of users, the audit log, and signing in."""

from typing import TYPE_CHECKING

from devices.services.profiles import create_profile as create_device_profile
from tenants.models import Authority
from tenants.services import audit
from tenants.services.customers import create_customer
from tenants.services.groups import add_members, create_user_group
from tenants.services.tenants import create_profile, create_tenant
from tenants.services.users import create_user
from tests.contracts.contract import OPEN, Kind, Kinds, Routes, by
from thingsboard.kernel.ids import new_id

if TYPE_CHECKING:
    from tests.contracts.world import World

_PAGE = "pageSize=100&page=0"
_CONTACT = {"email": "x@example.com", "country": "c", "city": "c", "address": "a", "zip": "z", "phone": "p"}
_TENANT = {"title": "New", "region": "r", **_CONTACT}
_PROFILE = {"name": "New", "description": "d"}
_LIMITS = {"configuration": {"type": "DEFAULT", "maxDevices": 1000}}
_CUSTOMER = {"title": "New", **_CONTACT}
_GROUP = {"name": "New", "additional_info": {"a": 1}}

_SIGNING_IN: Routes = {
    "api/auth/changePassword": {
        "POST": by("STC", body={"currentPassword": "correct horse", "newPassword": "a better one 1"})
    },
    "api/auth/csrf": {"GET": by(OPEN)},
    "api/auth/login": {"POST": by(OPEN, body={"username": "alice@acme.example", "password": "correct horse"})},
    "api/auth/logout": {"POST": by("STC")},
    "api/auth/token": {"POST": by(OPEN, body={"refreshToken": "x"})},
    "api/auth/token/refresh": {"POST": by(OPEN, body={"refresh_token": "x"})},
    "api/auth/user": {"GET": by("STC")},
    "api/noauth/activate": {
        "GET": by(OPEN),
        "POST": by(OPEN, body={"activateToken": "x", "password": "a better one 1"}),
    },
    "api/noauth/userPasswordPolicy": {"GET": by(OPEN)},
    "api/v1/": {"GET": by("STC")},
    # 400: whoever has a token already needs none
    "api/v1/auth/socketToken": {"POST": by("STC", answers={"S": 400, "T": 400, "C": 400})},
    "api/v1/auth/changePassword": {
        "POST": by("STC", body={"current_password": "correct horse", "new_password": "a better one 1"})
    },
    "api/v1/auth/csrf": {"GET": by(OPEN)},
    "api/v1/auth/login": {"POST": by(OPEN, body={"email": "alice@acme.example", "password": "correct horse"})},
    "api/v1/auth/logout": {"POST": by("STC")},
    "api/v1/auth/token/refresh": {"POST": by(OPEN, body={"refresh_token": "x"})},
    "api/v1/auth/user": {"GET": by("STC")},
    "api/v1/schema": {"GET": by(OPEN)},
}

_THINGSBOARDS: Routes = {
    "api/audit/logs": {"GET": by("ST", query=_PAGE)},
    "api/audit/logs/customer/<customer_id>": {"GET": by("T", query=_PAGE, outlives=True)},
    "api/audit/logs/entity/<kind>/<entity_id>": {"GET": by("ST", query=_PAGE, outlives=True)},
    "api/audit/logs/user/<user_id>": {"GET": by("T", query=_PAGE, outlives=True)},
    "api/customer": {"POST": by("T", body={**_CUSTOMER, "additionalInfo": {"a": 1}}, saves="customer")},
    "api/customer/<customer_id>": {"GET": by("TC"), "DELETE": by("T")},
    "api/customer/<customer_id>/shortInfo": {"GET": by("TC")},
    "api/customer/<customer_id>/title": {"GET": by("TC")},
    "api/customers": {"GET": by("T", query=_PAGE)},
    "api/customers/list": {"GET": by("T", query="customerIds={customer}")},
    "api/tenant": {"POST": by("S", body={**_TENANT, "additionalInfo": {"a": 1}}, saves="tenant")},
    "api/tenant/<tenant_id>": {"GET": by("ST"), "DELETE": by("S")},
    "api/tenant/customers": {"GET": by("T", query="customerTitle=Bistro")},
    "api/tenant/info/<tenant_id>": {"GET": by("ST")},
    "api/tenantInfos": {"GET": by("S", query=_PAGE)},
    "api/tenantProfile": {"POST": by("S", body={**_PROFILE, "profileData": _LIMITS}, saves="tenant_profile")},
    "api/tenantProfile/<profile_id>": {"GET": by("S"), "DELETE": by("S")},
    "api/tenantProfile/<profile_id>/default": {"POST": by("S")},
    "api/tenantProfileInfo/<profile_id>": {"GET": by("S")},
    "api/tenantProfileInfo/default": {"GET": by("S")},
    "api/tenantProfileInfos": {"GET": by("S", query=_PAGE)},
    "api/tenantProfiles": {"GET": by("S", query=_PAGE)},
    "api/tenantProfiles/list": {"GET": by("S", query="ids={tenant_profile}")},
    "api/tenants": {"GET": by("S", query=_PAGE)},
    "api/tenants/list": {"GET": by("ST", query="tenantIds={tenant}")},
}

_OURS: Routes = {
    "api/v1/auditLogs": {"GET": by("ST")},
    "api/v1/auditLogs/<pk>": {"GET": by("ST")},
    "api/v1/customers": {"GET": by("TC"), "POST": by("T", body={**_CUSTOMER, "additional_info": {"a": 1}})},
    "api/v1/customers/<pk>": {
        "GET": by("TC"),
        "PUT": by("T", body={**_CUSTOMER, "additional_info": {"a": 1}}),
        "DELETE": by("T"),
    },
    "api/v1/tenantProfiles": {"GET": by("S"), "POST": by("S", body={**_PROFILE, "profile_data": _LIMITS})},
    "api/v1/tenantProfiles/<pk>": {
        "GET": by("S"),
        "PUT": by("S", body={**_PROFILE, "profile_data": _LIMITS}),
        "DELETE": by("S"),
    },
    "api/v1/tenantProfiles/<pk>/default": {"POST": by("S")},
    "api/v1/tenants": {"GET": by("ST"), "POST": by("S", body={**_TENANT, "tenant_profile_id": "{tenant_profile}"})},
    "api/v1/tenants/<pk>": {"GET": by("ST"), "PUT": by("S", body=_TENANT), "DELETE": by("S")},
    "api/v1/userGroups": {"GET": by("T"), "POST": by("T", body=_GROUP)},
    "api/v1/userGroups/<pk>": {"GET": by("T"), "PUT": by("T", body=_GROUP), "DELETE": by("T")},
    "api/v1/userGroups/<pk>/members": {"GET": by("T")},
    "api/v1/userGroups/<pk>/members/add": {"POST": by("T", body={"ids": ["{customer_user}"]})},
    "api/v1/userGroups/<pk>/members/remove": {"POST": by("T", body={"ids": ["{customer_user}"]})},
}

ROUTES: Routes = {**_SIGNING_IN, **_THINGSBOARDS, **_OURS}


def _deed(world: "World", authority: str, *, foreign: bool = False) -> object:
    """A line of the audit log."""
    mine = world.tenant_profile if authority == "S" else world.cast.acme
    return world.deed(world.cast.globex if foreign else mine).pk


def _further_deed(world: "World", _: int) -> None:
    for target in (world.cast.acme, world.tenant_profile):
        audit.record(audit.ActionType.UPDATED, audit.EntityType.TENANT, target, {"a": 1})


def _further_tenant(world: "World", n: int) -> None:
    tenant = create_tenant(f"Further {n}", profile=create_profile(f"Of further {n}"))
    create_device_profile(tenant.pk, "valve")


def _further_user(world: "World", n: int) -> None:
    customer, tenant = world.cast.bistro, world.cast.acme
    create_user(f"further{n}@bistro.example", Authority.CUSTOMER_USER, customer=customer)
    create_user(f"further{n}@acme.example", Authority.TENANT_ADMIN, tenant=tenant)
    create_user(f"further{n}@example.com", Authority.SYS_ADMIN)


def _further_group(world: "World", n: int) -> None:
    add_members(world.user_group, [create_user(f"m{n}@bistro.example", "CUSTOMER_USER", customer=world.cast.bistro).pk])
    create_user_group(world.cast.acme.pk, f"Further {n}")


KINDS: Kinds = {
    "customer": Kind(
        named=("customer_id", "customers"),
        own=lambda world, _: world.cast.bistro.pk,
        foreign=lambda world, _: world.foreign_customer.pk,
        more=lambda world, n: create_customer(world.cast.acme, f"Further {n}"),
    ),
    "tenant": Kind(
        named=("tenant_id", "tenants"),
        own=lambda world, _: world.cast.acme.pk,
        foreign=lambda world, authority: None if authority == "S" else world.cast.globex.pk,
        more=_further_tenant,
    ),
    "tenant_profile": Kind(
        named=("tenantProfiles", "tenantProfile", "tenantProfileInfo"),
        own=lambda world, _: world.tenant_profile.pk,
        foreign=lambda world, authority: None if authority == "S" else world.tenant_profile.pk,
    ),
    "user": Kind(
        named=("user_id", "users", "assignee_id"),
        own=lambda world, authority: world.cast.alice.pk if authority == "S" else world.cast.bob.pk,
        foreign=lambda world, authority: world.cast.bob.pk if authority == "S" else world.cast.gina.pk,
        more=_further_user,
    ),
    "customer_user": Kind(
        named=(),
        own=lambda world, _: world.cast.bob.pk,
        foreign=lambda world, _: world.foreign_user.pk,
    ),
    "user_group": Kind(
        named=("userGroups",),
        own=lambda world, _: world.user_group.pk,
        foreign=lambda world, _: create_user_group(world.cast.globex.pk, f"Foreign {new_id()}").pk,
        more=_further_group,
    ),
    "audit_log": Kind(
        named=("auditLogs",),
        own=_deed,
        foreign=lambda world, authority: _deed(world, authority, foreign=True),
        more=_further_deed,
    ),
}
