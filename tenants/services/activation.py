"""The link by which a new user chooses its first password (compat/data_model.md 2.1)."""

import secrets
from typing import NamedTuple

from django.conf import settings
from django.db import transaction

from tenants.models import ActivationToken, User
from tenants.services.auth_events import AuthEvent, record
from tenants.services.passwords import require_policy
from tenants.services.users import set_password
from thingsboard.kernel.errors import BadRequest
from thingsboard.kernel.ids import new_id
from thingsboard.kernel.secrets import decrypt, encrypt, lookup_hash
from thingsboard.kernel.time import now_ms

TOKEN_LENGTH = 30  # characters, as ThingsBoard's
RENEW_MS = 15 * 60_000  # a link with less time left is replaced

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Link(NamedTuple):
    """A token and how long it is good from now on, in ms."""

    token: str
    ttl_ms: int


@transaction.atomic
def activation_link(user: User, *, shown_to: User) -> Link:
    """The user's link: the same each time, a new one when it is about to expire. Raises BadRequest once activated.

    `shown_to` is the administrator who asks; that it may is checked by the caller.
    """
    locked = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if locked.has_usable_password():
        raise BadRequest("User is already activated!")
    now = now_ms()
    found = ActivationToken.objects.filter(user=locked).first()
    if found is None or found.expires - now < RENEW_MS:
        token = "".join(secrets.choice(_ALPHABET) for _ in range(TOKEN_LENGTH))
        expires = now + int(settings.TB_ACTIVATION_SECONDS * 1000)
        fields = {"lookup": lookup_hash(f"activation:{token}"), "secret": encrypt(token), "expires": expires}
        found, _ = ActivationToken.objects.update_or_create(
            user=locked, defaults=fields, create_defaults={"id": new_id(), **fields}
        )
    record(AuthEvent.LINK_SHOWN, user=locked, why=f"to {shown_to.email}")
    return Link(decrypt(found.secret), found.expires - now)


def is_expired(token: str) -> bool | None:
    """Whether the time of an activation token is over; None when there is no such token."""
    found = _find(token)
    return None if found is None else found.expires <= now_ms()


@transaction.atomic
def activate(token: str, password: str, *, address: str = "") -> User:
    """Give the link's user its first password; the link works once. Raises BadRequest."""
    found = _find(token, lock=True)
    if found is None:
        raise BadRequest("Unable to find user credentials by activateToken.")
    if found.expires <= now_ms():
        raise BadRequest("Activation token expired!")
    require_policy(password)
    user: User = User.objects.select_related("tenant", "customer").get(pk=found.user_id)
    set_password(user, password)
    found.delete()
    record(AuthEvent.ACTIVATED, user=user, address=address)
    return user


def _find(token: str, *, lock: bool = False) -> ActivationToken | None:
    if len(token) != TOKEN_LENGTH:
        return None
    rows = ActivationToken.objects.select_for_update() if lock else ActivationToken.objects.all()
    return rows.filter(lookup=lookup_hash(f"activation:{token}")).first()
