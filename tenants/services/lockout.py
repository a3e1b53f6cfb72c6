"""Who tries too many passwords waits: per account, and per address (docs/decisions/0021).

An address from which somebody has logged in to an account before is *known* to it, and has a count of its own there.
So whoever locks an account from elsewhere does not lock out its owner. A lock ends by itself; each further one within a
day is twice as long, up to LONGEST_LOCK times the first. Accounts are counted by what was typed, whether such a user
exists or not, so that a lock tells nobody who does.
"""

import hashlib
from ipaddress import IPv6Address, ip_address

from django.conf import settings

from tenants.services.attempts import Counters, counters
from tenants.services.auth_events import AuthEvent, record
from thingsboard.kernel.errors import PlatformError, TooMany, Unauthenticated

LONGEST_LOCK = 16  # times TB_LOGIN_LOCK_SECONDS
STRIKES_SECONDS = 86400.0  # for how long a lock makes the next one longer
KNOWN_SECONDS = 30 * 86400.0

ACCOUNT_LOCKED = "User account is locked due to security policy"  # ThingsBoard's words (data_model.md 1.1)
ADDRESS_LOCKED = "Too many failed logins from this address; try again later."


class Attempt:
    """One try to prove that one is the owner of an account: `require_open`, then `failed` or `succeeded`."""

    def __init__(self, email: str, address: str, store: Counters | None = None) -> None:
        """`address` is the client's, "" when it is not known."""
        self._email = email
        self._address = address
        self._store = store or counters()
        self._account = hashlib.sha256(email.strip().lower().encode()).hexdigest()[:32]
        place = network_of(address)
        self._known_key = f"known:{self._account}:{place}"
        self._pair = f"pair:{self._account}:{place}"
        self._place = f"address:{place}"

    def require_open(self) -> None:
        """Raise Unauthenticated when the account is locked for this address, TooMany when the address is."""
        pair, account, place, known = self._store.remaining(
            [f"lock:{self._pair}", f"lock:{self._account}", f"lock:{self._place}", self._known_key]
        )
        if known:
            if pair:
                self._refuse(Unauthenticated(ACCOUNT_LOCKED))
        elif account:
            self._refuse(Unauthenticated(ACCOUNT_LOCKED))
        elif place:
            self._refuse(TooMany(ADDRESS_LOCKED))

    def failed(self) -> None:
        """Count a wrong password."""
        (known,) = self._store.remaining([self._known_key])
        if known:
            self._count(self._pair, settings.TB_LOGIN_MAX_FAILURES, "for the address")
        else:
            self._count(self._account, settings.TB_LOGIN_MAX_FAILURES, "for unknown addresses")
            if self._address:
                self._count(self._place, settings.TB_LOGIN_MAX_FAILURES_PER_ADDRESS, "address")

    def succeeded(self) -> None:
        """Forget what failed before, and know the address from now on. What the address did to others still counts."""
        keys = [prefix + key for key in (self._pair, self._account) for prefix in ("failures:", "strikes:")]
        self._store.drop(keys)
        if self._address:
            self._store.hold(self._known_key, KNOWN_SECONDS)

    def _count(self, key: str, limit: int, what: str) -> None:
        first: float = settings.TB_LOGIN_LOCK_SECONDS
        # Only the one that reaches the limit locks, however many fail at once.
        if self._store.add(f"failures:{key}", first) != limit:
            return
        strikes = self._store.add(f"strikes:{key}", STRIKES_SECONDS)
        seconds = first * min(2 ** min(strikes - 1, 10), LONGEST_LOCK)
        self._store.hold(f"lock:{key}", seconds)
        self._store.drop([f"failures:{key}"])
        record(AuthEvent.LOCKED, email=self._email, address=self._address, why=f"{what}, {seconds:g} s")

    def _refuse(self, error: PlatformError) -> None:
        record(AuthEvent.KEPT_OUT, email=self._email, address=self._address, why=error.message)
        raise error


def network_of(address: str) -> str:
    """What is counted as one address: an IPv4 address, or the /64 network that an IPv6 client usually has for itself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
    return str(parsed)
