"""The contact members of tenants and customers."""

from typing import Any

from tenants.api.contacts import LONGEST_ADDRESS
from tenants.services.documents import CONTACT

__all__ = ["CONTACT", "CONTACT_BOUNDS"]

CONTACT_BOUNDS: dict[str, dict[str, Any]] = {
    "address": {"max_length": LONGEST_ADDRESS},
    "address2": {"max_length": LONGEST_ADDRESS},
}
