"""Has what waited for its time go on: one bounded slice after the other, each a transaction (kernel.timers.firing)."""

import logging
import time

from django.db import connection, transaction

from rules.engine.batch import AWAY
from thingsboard.kernel import timers
from thingsboard.kernel.disk import watch
from thingsboard.kernel.outbox import kick
from thingsboard.kernel.timers.firing import MOST

log = logging.getLogger(__name__)


def fire_due(seconds: float, most: int = MOST) -> bool:
    """Fire what is due for up to about so many seconds; True when more is. Slices hold up to `most` timers.

    Raises nothing for a database that is away: nothing is lost then, and the next look comes.
    """
    until = time.monotonic() + seconds
    while watch().shortage() is None:  # with the disk nearly full, what waits is safe where it is
        try:
            with transaction.atomic():
                fired = timers.fire(connection.connection, most)
        except AWAY as error:
            log.warning("Timers wait for the database: %s", str(error).strip().splitlines()[:1])
            connection.close()
            return False
        if fired.lanes:
            kick(fired.lanes)
        if not fired.more:
            return False
        if time.monotonic() >= until:
            return True
    return False
