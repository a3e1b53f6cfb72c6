"""The amqtt plugins: who may connect, what may be subscribed to. They are the single authority; the front asks them too.

A broker with stock listeners that loads them is therefore just as strict, only slow.
"""

import logging
from contextvars import ContextVar
from typing import Any

from amqtt.contexts import Action, BaseContext
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from django.conf import settings

from devices.services.credentials import DeviceIdentity
from thingsboard.transports.directory import Directory, Unavailable
from thingsboard.transports.mqtt import packets
from thingsboard.transports.mqtt.recognition import ByCertificate, ByName, Refused
from thingsboard.transports.mqtt.topics import SUBSCRIPTIONS
from thingsboard.transports.tokens import TokenCache

log = logging.getLogger(__name__)

IDENTITY = "thingsboard.identity"  # where a session's attributes hold its DeviceIdentity

# The device that the front has recognised already; set in the task that hands the connection to amqtt.
admitted: ContextVar[DeviceIdentity | None] = ContextVar("admitted", default=None)


class DeviceAuthPlugin(BaseAuthPlugin):
    """Recognises devices by what their CONNECT says, or by the certificate of their TLS connection."""

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        self.directory = Directory()
        self.tokens = TokenCache(
            self.directory.ask,
            seconds=settings.TB_TOKEN_CACHE_SECONDS,
            size=settings.TB_TOKEN_CACHE_SIZE,
            window=settings.TB_TOKEN_MISS_WINDOW,
        )

    async def identify(
        self, client_id: str | None, user: str | None, password: str | bytes | None, certificate: bytes | None = None
    ) -> DeviceIdentity:
        """The device behind a CONNECT. `certificate` is the DER of what the TLS client proved to own.

        Raises Refused. What is answered holds at the moment of return.
        """
        said = password.encode() if isinstance(password, str) else password
        claim = ByName(client_id or "", user, said) if certificate is None else ByCertificate(certificate)
        try:
            answers = await self.tokens.find_all(claim.lookups)
        except Unavailable:
            raise Refused(packets.UNAVAILABLE, "database") from None
        identity = claim.choose(dict(zip(claim.lookups, answers, strict=True)))
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
