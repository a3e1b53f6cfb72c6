"""Fetch device credentials."""

from collections.abc import Sequence
from typing import Any

from rules.node import SUCCESS, Category, Config, Context, Emit, Msg, Node, Outcome
from rules.node.base import ENTITIES
from rules.node.fetching import FetchTo, upgraded
from rules.node.lookups import Credentials
from telemetry.points import Json, Value
from thingsboard.kernel.ids import EntityType

_AS_TEXT = frozenset({"ACCESS_TOKEN", "X509_CERTIFICATE"})


class FetchDeviceCredentialsConfig(Config, frozen=True):
    """Where the credentials go."""

    fetch_to: FetchTo = FetchTo.METADATA


class FetchDeviceCredentials(Node):
    """Adds what the originating device proves its identity with, in the clear.

    `credentialsType` is their kind; `credentials` an access token, a certificate in one line, or the JSON of other kinds. From
    here on the message holds a secret: so does whatever stores, sends or shows it, debug events and dead letters included.

    Messages of anything but a device leave by Failure.
    """

    TYPE = "org.thingsboard.rule.engine.metadata.TbFetchDeviceCredentialsNode"
    NAME = "fetch device credentials"
    CATEGORY = Category.ENRICHMENT
    VERSION = 1
    CONFIG = FetchDeviceCredentialsConfig
    CONFIG_DIRECTIVE = "tbEnrichmentNodeFetchDeviceCredentialsConfig"
    READS = frozenset({ENTITIES})

    def run(self, ctx: Context, messages: Sequence[Msg]) -> Sequence[Outcome]:
        """All devices are looked up at once."""
        devices = {msg.originator for msg in messages if msg.originator.type is EntityType.DEVICE}
        known = ctx.look.credentials(devices) if devices else {}
        return [self._enriched(msg, known.get(msg.originator)) for msg in messages]

    def _enriched(self, msg: Msg, credentials: Credentials | None) -> Emit:
        type = msg.originator.type
        if type is not EntityType.DEVICE:
            return Emit.failure(msg, f"Unsupported originator type: {type}!")
        if credentials is None:
            return Emit.failure(msg, f"Failed to get Device Credentials for device: {msg.originator.id}!")
        try:
            found = {"credentialsType": credentials.type, "credentials": _told(credentials)}
            return Emit(SUCCESS, self.config.fetch_to.enriched(msg, found))
        except ValueError as error:
            return Emit.failure(msg, str(error))

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 had `fetchToMetadata`. Raises ValueError where that is neither true nor false."""
        if version > 0:
            return raw
        return upgraded(raw, "fetchToMetadata", FetchTo.METADATA, FetchTo.DATA, required=True)


def _told(credentials: Credentials) -> Value:
    if credentials.value is None:
        return credentials.id
    return credentials.value if credentials.type in _AS_TEXT else Json(credentials.value)
