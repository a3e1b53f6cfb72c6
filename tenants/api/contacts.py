"""The contact members of tenants and customers (compat/data_model.md 3), as a request says them."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from tenants.services.documents import CONTACT
from thingsboard.kernel.api import text_of
from thingsboard.kernel.errors import BadRequest

LONGEST_ADDRESS = 4096


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
