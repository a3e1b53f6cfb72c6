"""The first system administrator of a production installation: by a link that works once, or by command.

The link's token is printed at the start and kept as a hash. Each start makes a new one, as long as there is no system
administrator, and the one before is void.
"""

import hashlib
import hmac
import secrets

from django.conf import settings
from django.db import transaction

from tenants.models import Authority, SystemSetting, User
from tenants.services.auth_events import AuthEvent, record
from tenants.services.passwords import require_policy, require_strong
from tenants.services.users import create_user
from thingsboard.kernel.errors import BadRequest, NotFound
from thingsboard.kernel.time import now_ms

KEY = "setup"
LIFETIME_MS = 24 * 3600 * 1000


def create_sysadmin(email: str, password: str) -> User:
    """A system administrator. Raises BadRequest, in production also for a password that others guess or know."""
    if settings.DEBUG:
        require_policy(password)
    else:
        require_strong(password, email)
    return create_user(email, Authority.SYS_ADMIN, password=password)


@transaction.atomic
def new_setup_token() -> str | None:
    """A token for the set-up page, good for LIFETIME_MS; None when there is a system administrator already."""
    # Locks the row, if there is one, against a form that is being sent.
    setting, _ = SystemSetting.objects.select_for_update().get_or_create(key=KEY, defaults={"value": {}})
    if _is_set_up():
        setting.delete()
        return None
    token = secrets.token_urlsafe(32)
    setting.value = {"hash": _hash(token), "expires": now_ms() + LIFETIME_MS}
    setting.save(update_fields=["value"])
    return token


def is_open(token: str) -> bool:
    """Whether the set-up page may be shown for this token."""
    return _matches(SystemSetting.objects.filter(key=KEY).first(), token) and not _is_set_up()


@transaction.atomic
def set_up(token: str, email: str, password: str, *, address: str = "") -> User:
    """Use the link: create the first system administrator.

    Raises NotFound when the link is used, expired or unknown, BadRequest for an address or password that will not do
    (the link is then still good).
    """
    setting = SystemSetting.objects.select_for_update().filter(key=KEY).first()
    if setting is None or not _matches(setting, token) or _is_set_up():
        raise NotFound("This link has been used or is expired.")
    user = create_sysadmin(email, password)
    setting.delete()
    record(AuthEvent.SET_UP, user=user, address=address)
    return user


def read_password(text: str) -> str:
    """The first line of what was piped in. Raises BadRequest when it is empty."""
    line = text.partition("\n")[0].rstrip("\r")
    if not line:
        raise BadRequest("The password is empty.")
    return line


def _is_set_up() -> bool:
    return bool(User.objects.filter(authority=Authority.SYS_ADMIN).exists())


def _matches(setting: SystemSetting | None, token: str) -> bool:
    if setting is None or not isinstance(setting.value, dict) or "hash" not in setting.value:
        return False
    return hmac.compare_digest(setting.value["hash"], _hash(token)) and now_ms() < setting.value["expires"]


def _hash(token: str) -> str:
    # 256 random bits need no slow hash.
    return hashlib.sha256(token.encode()).hexdigest()
