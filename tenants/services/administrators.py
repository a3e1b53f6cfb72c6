"""Somebody must be left who runs the installation."""

from tenants.models import Authority, User
from thingsboard.kernel.errors import BadRequest, Forbidden


def require_another(user: User, what: str) -> None:
    """Raise BadRequest when `user` is the last system administrator who can log in. Call it inside the transaction.

    Locks all of them, in one order: two who remove each other at once do not both succeed. `what` is what cannot be done.
    """
    if user.authority != Authority.SYS_ADMIN:
        return
    rows = User.objects.select_for_update(of=("self",)).filter(authority=Authority.SYS_ADMIN, is_active=True)
    if not any(other.pk != user.pk and other.has_usable_password() for other in rows.order_by("pk")):
        raise BadRequest(f"The last system administrator cannot be {what}.")


def require_somebody_else(user: User, by: User, what: str) -> None:
    """Raise Forbidden where somebody would shut itself out."""
    if user.pk == by.pk:
        raise Forbidden(f"You cannot {what} yourself.")
