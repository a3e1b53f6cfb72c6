"""The contact members of tenants and customers."""

from typing import Any

from tenants.api.contacts import CONTACT, LONGEST_ADDRESS

__all__ = ["CONTACT", "CONTACT_BOUNDS"]

CONTACT_BOUNDS: dict[str, dict[str, Any]] = {
    "address": {"max_length": LONGEST_ADDRESS},
    "address2": {"max_length": LONGEST_ADDRESS},
}
