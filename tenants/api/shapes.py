"""The JSON of users (compat/data_model.md 3)."""

from typing import Any

from tenants.models import User
from thingsboard.kernel.ids import NULL_UUID, EntityId, EntityType


def owner_json(tenant_id: Any, customer_id: Any) -> dict[str, Any]:
    """`tenantId` and `customerId`; none is the NULL UUID, never null."""
    return {
        "tenantId": EntityId(EntityType.TENANT, tenant_id or NULL_UUID).to_json(),
        "customerId": EntityId(EntityType.CUSTOMER, customer_id or NULL_UUID).to_json(),
    }


def user_json(user: User) -> dict[str, Any]:
    """A User; nothing of its password."""
    info = dict(user.additional_info) if isinstance(user.additional_info, dict) else {}
    info["userCredentialsEnabled"] = user.is_active
    info["userActivated"] = user.has_usable_password()
    if user.last_login is not None:
        info["lastLoginTs"] = int(user.last_login.timestamp() * 1000)
    return {
        "id": EntityId(EntityType.USER, user.pk).to_json(),
        "createdTime": user.created_time,
        **owner_json(user.tenant_id, user.customer_id),
        "email": user.email,
        "authority": user.authority,
        "firstName": user.first_name or None,
        "lastName": user.last_name or None,
        "phone": user.phone or None,
        "name": user.email,
        "additionalInfo": info,
        "version": user.version,
    }
