"""What the batches of a thread share."""

from typing import Any

import psycopg
from django.conf import settings

from rules.engine.jails import jail_of_a_drain
from rules.engine.logs import LogBudget
from rules.engine.room import Room
from rules.engine.values import KeyNumbers
from telemetry.json import Rules
from telemetry.store.batch import Server
from thingsboard.kernel.outbox import Appender
from thingsboard.kernel.script import Jail

Connection = psycopg.Connection[Any]


class Tools:
    """What the batches of a thread share: its connection and what hangs on it."""

    def __init__(self, connection: Connection, server: Server, jail: Jail | None = None) -> None:
        self.connection, self.server = connection, server
        self.numbers = KeyNumbers()
        self.appender = Appender()
        self.log = LogBudget()
        self.room = Room(connection)
        self.jail = jail or jail_of_a_drain()
        self.json_rules = Rules(
            cast=settings.TB_JSON_TYPE_CAST,
            longest_string=settings.TB_MAX_STRING_VALUE_LENGTH,
            most_keys=settings.TB_MAX_KEYS_PER_MESSAGE,
        )

    def close(self) -> None:
        """What is open besides the connection, which is another's."""
        self.numbers.close()
        self.jail.close()
