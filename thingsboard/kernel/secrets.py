"""Keys that the installation made for itself, and what is encrypted or looked up with them.

Each key is a file in the data directory's `secrets` folder (mode 0600), made at first use. Deployments without a
shared data directory hand the same keys in by environment variables (settings `SECRET_KEY`, `TB_DEVICE_SECRET_KEY`).
"""

import base64
import hashlib
import hmac
import os
import secrets
from functools import cache
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

PUBLISHED = frozenset({"changeme", "change-me", "secret", "insecure", "django-insecure", "thingsboard"})


def secret_text(data_dir: Path, name: str) -> str:
    """The secret kept in `<data_dir>/secrets/<name>` as URL-safe text of 64 random bytes; made when it is not there
    yet.

    Two processes that start at once agree: the file is linked into place, and who comes second reads the first's.
    Raises ImproperlyConfigured when the folder cannot be used.
    """
    path = data_dir / "secrets" / name
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = path.parent / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(64))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(fresh, path)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        value = path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"TB_DATA_DIR={data_dir}: cannot keep secrets there ({error.strerror}).") from None
    if len(value) < 43:
        raise ImproperlyConfigured(f"{path} is damaged: expected at least 43 characters. Restore it from a backup.")
    return value


def refuse_published(name: str, value: str) -> None:
    """Raise ImproperlyConfigured when a secret is short or one that everybody knows."""
    if len(value) < 32 or any(value.lower().startswith(known) for known in PUBLISHED):
        raise ImproperlyConfigured(f"{name} is too short or published; expected at least 32 random characters.")


@cache
def _keys() -> tuple[Fernet, bytes]:
    """The encryption key and the look-up key, both derived from the device-secret key."""
    master = os.environ.get("TB_DEVICE_SECRET_KEY", "")
    if master:
        refuse_published("TB_DEVICE_SECRET_KEY", master)
    else:
        master = secret_text(settings.TB_DATA_DIR, "device-secrets.key")
    encryption = hashlib.sha256(b"encryption:" + master.encode()).digest()
    lookup = hashlib.sha256(b"lookup:" + master.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(encryption)), lookup


def encrypt(plain: str) -> bytes:
    """Encrypt a secret for the database (Fernet: AES-128-CBC with HMAC-SHA256)."""
    return _keys()[0].encrypt(plain.encode())


def decrypt(token: "bytes | memoryview[int]") -> str:
    """Decrypt what `encrypt` made; ImproperlyConfigured when the key is not the one it was made with."""
    try:
        return _keys()[0].decrypt(bytes(token)).decode()
    except InvalidToken:
        raise ImproperlyConfigured(
            "A device secret cannot be decrypted: the device-secret key is not the one this database was filled with."
        ) from None


def lookup_hash(plain: str) -> bytes:
    """The 32-byte HMAC-SHA256 by which an encrypted secret is found, without a slow password hash."""
    return hmac.digest(_keys()[1], plain.encode(), "sha256")
