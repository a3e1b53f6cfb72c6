"""Whose session a token belongs to, and whether it still lives: what every request asks.

One query answers it. A process believes the answer for at most TB_SESSION_CACHE_SECONDS (never above a second), which
is the promise: a new password, a logout, switching off a user work everywhere within a second. News over the bus make
it immediate where they arrive. A busy session costs a process one query a second, however many requests it makes.
"""

import copy
import threading
import time
import uuid
from collections import OrderedDict
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Exists

from tenants.models import EndedSession, User
from thingsboard.kernel import bus

CHANNEL = "sessions"  # {"userId": uuid}: all sessions of a user; with "sessionId" that one


class SessionState(NamedTuple):
    """`user` with its tenant and customer, None when it is gone; `ended` after a logout."""

    user: User | None
    ended: bool


class SessionCache:
    """The states that one process remembers; the oldest go first. For use from many threads."""

    def __init__(self, max_age: float | None = None, size: int | None = None) -> None:
        """`max_age` in seconds; what is None is asked of the settings."""
        self._max_age = max_age
        self._size = size
        self._lock = threading.Lock()
        self._states: OrderedDict[tuple[uuid.UUID, uuid.UUID], tuple[float, SessionState]] = OrderedDict()

    def ask(self, user_id: uuid.UUID, session_id: uuid.UUID) -> SessionState:
        """The state of a session. The user is the caller's own copy."""
        key = (user_id, session_id)
        now = time.monotonic()
        max_age: float = settings.TB_SESSION_CACHE_SECONDS if self._max_age is None else self._max_age
        with self._lock:
            found = self._states.get(key)
        if found is None or now - found[0] >= max_age:
            # Its age counts from before the query: what is committed from now on may be missing in the answer.
            found = (now, read_state(user_id, session_id))
            with self._lock:
                self._states[key] = found
                self._states.move_to_end(key)
                while len(self._states) > (self._size or settings.TB_SESSION_CACHE_SIZE):
                    self._states.popitem(last=False)
        state = found[1]
        return state._replace(user=copy.copy(state.user))

    def forget(self, user_id: uuid.UUID, session_id: uuid.UUID | None = None) -> None:
        """Ask again about that session, or about all of the user's."""
        with self._lock:
            if session_id is not None:
                self._states.pop((user_id, session_id), None)
                return
            for key in [key for key in self._states if key[0] == user_id]:
                del self._states[key]

    def clear(self) -> None:
        """Ask again about everything."""
        with self._lock:
            self._states.clear()

    def heard(self, _channel: str, payload: dict[str, Any]) -> None:
        """News of another process."""
        session = payload.get("sessionId")
        self.forget(uuid.UUID(payload["userId"]), uuid.UUID(session) if session else None)

    async def listen(self) -> None:
        """Hear the news until cancelled; after a silence of the bus nothing is believed."""
        await bus.Subscriber([CHANNEL], self.heard, self.clear).run()


cache = SessionCache()


def read_state(user_id: uuid.UUID, session_id: uuid.UUID) -> SessionState:
    """What the database says now, in one query."""
    ended = Exists(EndedSession.objects.filter(pk=session_id))
    users = User.objects.select_related("tenant", "customer").annotate(session_ended=ended)
    user = users.filter(pk=user_id).first()
    return SessionState(user, user is not None and user.session_ended)


def announce(user_id: uuid.UUID, session_id: uuid.UUID | None = None) -> None:
    """Have every process ask again: this one now and after the commit, the others after the commit."""
    cache.forget(user_id, session_id)
    payload = {"userId": str(user_id)} | ({"sessionId": str(session_id)} if session_id else {})

    def tell() -> None:
        cache.forget(user_id, session_id)
        bus.publish(CHANNEL, payload)

    transaction.on_commit(tell)
