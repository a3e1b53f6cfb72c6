"""The amqtt plugins: who may connect, what may be subscribed to. They are the single authority; the front asks them too.

A broker with stock listeners that loads them is therefore just as strict, only slow.
"""

import logging
from contextvars import ContextVar
from typing import Any

from amqtt.contexts import Action, BaseContext
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from django.conf import settings

from devices.services.credentials import DeviceIdentity, lookup_of
from thingsboard.transports.directory import Directory, Unavailable
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.topics import SUBSCRIPTIONS
from thingsboard.transports.tokens import TokenCache

log = logging.getLogger(__name__)

IDENTITY = "thingsboard.identity"  # where a session's attributes hold its DeviceIdentity

# The device that the front has recognised already; set in the task that hands the connection to amqtt.
admitted: ContextVar[DeviceIdentity | None] = ContextVar("admitted", default=None)


class Refused(Exception):
    """A CONNECT is refused; `code` is the return code of CONNACK, `reason` a short code for counters, `identity` the device
    where it was recognised all the same.
    """

    def __init__(self, code: int, reason: str, identity: DeviceIdentity | None = None) -> None:
        super().__init__(reason)
        self.code, self.reason, self.identity = code, reason, identity


class DeviceAuthPlugin(BaseAuthPlugin):
    """Recognises devices by their access token, the user name of CONNECT."""

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        self.directory = Directory()
        self.tokens = TokenCache(
            self.directory.ask,
            seconds=settings.TB_TOKEN_CACHE_SECONDS,
            size=settings.TB_TOKEN_CACHE_SIZE,
            window=settings.TB_TOKEN_MISS_WINDOW,
        )

    async def identify(self, client_id: str | None, user: str | None, password: Any = None) -> DeviceIdentity:
        """The device behind a CONNECT. Raises Refused (compat/device_transports.md 2.1)."""
        if not user:
            code = packets.BAD_IDENTIFIER if client_id and user is None else packets.NOT_AUTHORIZED
            raise Refused(code, "no_token")
        try:
            identity = await self.tokens.find(lookup_of(user))
        except Unavailable:
            raise Refused(packets.UNAVAILABLE, "database") from None
        if identity is None or identity.credentials_type != "ACCESS_TOKEN":
            raise Refused(packets.NOT_AUTHORIZED, "wrong_token")
        if identity.transport_type not in ("DEFAULT", "MQTT"):
            raise Refused(packets.UNAVAILABLE, "transport_type", identity)
        return identity

    async def authenticate(self, *, session: Any) -> bool:
        """The question of amqtt; whom the front has recognised is not asked for again."""
        identity = admitted.get()
        if identity is None:
            try:
                identity = await self.identify(session.client_id, session.username, session.password)
            except Refused:
                return False
            except Exception:  # amqtt would show it at DEBUG only
                log.exception("A connection could not be authenticated.")
                return False
        session.attributes[IDENTITY] = identity
        return True

    async def close(self) -> None:
        """The broker ends."""
        await self.directory.close()


class DeviceTopicPlugin(BaseTopicPlugin):
    """Grants the filters of the device API and routes nothing: no device ever hears another."""

    async def topic_filtering(self, *, session: Any = None, topic: str | None = None, action: Any = None) -> bool:
        """The question of amqtt. Publishes are the front's business; what is delivered goes to one session directly."""
        return action is Action.SUBSCRIBE and topic in SUBSCRIPTIONS
