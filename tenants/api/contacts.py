"""The contact members of tenants and customers (compat/data_model.md 3), written and read alike."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from tenants.models.contact import Contact
from thingsboard.kernel.api import text_of
from thingsboard.kernel.errors import BadRequest

CONTACT = tuple(field.name for field in Contact._meta.get_fields())
LONGEST_ADDRESS = 4096


def contact_json(row: Contact) -> dict[str, str | None]:
    """Null where nothing is known."""
    return {name: getattr(row, name) or None for name in CONTACT}


def contact_fields(body: Mapping[str, Any]) -> dict[str, str]:
    """What a request says. Raises BadRequest."""
    found = {
        name: text_of(body, name, longest=LONGEST_ADDRESS if name.startswith("address") else 255) for name in CONTACT
    }
    if found["email"]:
        try:
            validate_email(found["email"])
        except ValidationError:
            raise BadRequest(f"Invalid email address format '{found['email'][:100]}'!") from None
    return found
