"""How the JSON of users is read, and what our own API says of them."""

from collections.abc import Mapping
from typing import Any

from tenants.models import User
from tenants.services.documents import last_login_ms
from tenants.services.user_places import Wish
from tenants.services.users import UserFields
from thingsboard.kernel.api import id_of, object_of, text_of
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import EntityId, EntityType

# What we say of a user in its additionalInfo, and clients send back.
READ_ONLY_INFO = ("userCredentialsEnabled", "userActivated", "lastLoginTs")


def user_fields(body: Mapping[str, Any]) -> UserFields:
    """What a User in a request's body says of what can be changed. Raises BadRequest."""
    email, info = text_of(body, "email"), object_of(body, "additionalInfo")
    if not email:
        raise BadRequest("User email should be specified!")
    return UserFields(
        email=email,
        first_name=text_of(body, "firstName"),
        last_name=text_of(body, "lastName"),
        phone=text_of(body, "phone"),
        additional_info=info and {name: value for name, value in info.items() if name not in READ_ONLY_INFO},
    )


def user_wish(body: Mapping[str, Any]) -> Wish:
    """What it says of the user's place. Raises BadRequest."""
    return Wish(
        text_of(body, "authority"),
        id_of(body, "tenantId", EntityType.TENANT),
        id_of(body, "customerId", EntityType.CUSTOMER),
    )


def user_email_json(user: User) -> dict[str, Any]:
    """A UserEmailInfo: whom one may name."""
    return {
        "id": EntityId(EntityType.USER, user.pk).to_json(),
        "email": user.email,
        "firstName": user.first_name or None,
        "lastName": user.last_name or None,
    }


def user_resource(user: User) -> dict[str, Any]:
    """A user of our own API: snake_case, plain UUIDs, null where there is none."""
    return {
        "id": user.pk,
        "created_time": user.created_time,
        "name": user.email,
        "email": user.email,
        "authority": user.authority,
        "tenant_id": user.tenant_id,
        "customer_id": user.customer_id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "phone": user.phone,
        "enabled": user.is_active,
        "activated": user.has_usable_password(),
        "last_login_time": last_login_ms(user),
        "additional_info": user.additional_info,
        "version": user.version,
    }
