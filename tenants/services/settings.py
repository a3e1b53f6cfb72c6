"""Settings of the installation that live in the database."""

import base64
import secrets
import time

from django.db import connection

from tenants.models import SystemSetting

JWT = "jwt"
SIGNING_KEY = "tokenSigningKey"
KEY_BYTES = 64  # HS512 wants at least as many bytes as its hash has
CACHE_SECONDS = 30.0

_cached: tuple[float, bytes] | None = None


def jwt_signing_key() -> bytes:
    """The key that signs users' tokens; made when it is needed first, and then one for all processes.

    A process believes what it read for at most CACHE_SECONDS. Within a transaction it is not remembered, because a
    rollback may take a fresh key away.
    """
    global _cached
    if _cached is not None and time.monotonic() - _cached[0] < CACHE_SECONDS:
        return _cached[1]
    # Who comes second at the unique key reads what the first has written.
    setting, _ = SystemSetting.objects.get_or_create(
        key=JWT, defaults={"value": {SIGNING_KEY: base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}}
    )
    key = base64.b64decode(setting.value[SIGNING_KEY])
    if len(key) < KEY_BYTES:
        raise ValueError(f"The signing key in the setting {JWT!r} is too short; expected {KEY_BYTES} bytes in base64.")
    if not connection.in_atomic_block:
        _cached = (time.monotonic(), key)
    return key
