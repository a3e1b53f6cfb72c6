"""What a transport refused, for whoever asks why a device does not connect (docs/guides/device-does-not-connect.md).

Noting a refusal costs a look into a dictionary: identical ones are counted in memory, and what was gathered is written
every TB_REFUSALS_FLUSH_SECONDS in one statement. However many come from however many addresses, what is kept and written
is bounded; what exceeds the bounds is counted as "other". A process that is killed loses what it had not written yet,
TB_REFUSALS_FLUSH_SECONDS at most.
"""

import asyncio
import logging
import uuid

from django.conf import settings

from devices.services.credentials import DeviceIdentity
from devices.services.refusals import RECORD_SQL, TRIM_SQL, Kind, Noted, parameters, shown, trim_parameters
from thingsboard.kernel.time import now_ms
from thingsboard.transports.line import Line, Unavailable
from thingsboard.transports.reasons import UNTOLD, sentence
from thingsboard.transports.redaction import beginning, printable

log = logging.getLogger(__name__)

# Kinds of refusals that are told apart between two writes: of one tenant (or of nobody's), and in all.
MOST_OF_AN_OWNER = 100
MOST = 2_000
# How long what could not be written is kept.
KEEP_MS = 300_000
CLOSE_SECONDS = 1.0

LONGEST_ADDRESS, LONGEST_CLIENT_ID, LONGEST_MESSAGE = 64, 64, 255


class RefusalLog:
    """Belongs to one event loop; starts nothing before the first refusal."""

    def __init__(self, transport: str) -> None:
        """`transport` is "MQTT" or "HTTP"."""
        self._transport = transport
        self._line = Line(f"thingsboard {transport.lower()} refusals")
        self._noted: dict[Kind, Noted] = {}
        self._owners: dict[uuid.UUID | None, int] = {}  # kinds of each
        self._writer: asyncio.Task[None] | None = None
        self._complained = False
        self._closing = asyncio.Event()
        self.dropped = 0  # refusals that nobody will read of, because the database was away for too long

    def note(
        self,
        reason: str,
        message: str = "",
        *,
        address: str = "",
        identity: DeviceIdentity | None = None,
        token: str = "",
        password: bytes = b"",
        client_id: str = "",
    ) -> None:
        """Note one refusal, on the event loop. `token` is what was shown where no device was recognised by it; with a
        password it may be a mere name, so whoever asks for it must know both.
        """
        if reason in UNTOLD:
            return
        tenant = device = None
        lookup = b""
        if identity is not None:
            tenant, device, lookup, token = identity.tenant_id, identity.device_id, identity.lookup, ""
        elif token:
            lookup = shown(token, password)
        now = now_ms()
        kind = Kind(tenant, device, lookup, self._transport, printable(address, LONGEST_ADDRESS), reason)
        noted = self._noted.get(kind)
        if noted is None:
            text = printable(message or sentence(reason), LONGEST_MESSAGE)
            self._add(kind, Noted(text, beginning(token), printable(client_id, LONGEST_CLIENT_ID), now, now))
            if self._writer is None:
                self._writer = asyncio.get_running_loop().create_task(self._write_on())
        else:
            noted.count += 1
            noted.last_time = now

    @property
    def waiting(self) -> int:
        """Kinds of refusals that are not written yet."""
        return len(self._noted)

    async def close(self) -> None:
        """Write what there is, within CLOSE_SECONDS, and let the connection go."""
        self._closing.set()
        writer, self._writer = self._writer, None
        if writer is not None:
            await asyncio.wait([writer], timeout=CLOSE_SECONDS)
            if not writer.done():
                writer.cancel()
                await asyncio.gather(writer, return_exceptions=True)
        if self._noted:
            log.info("What was refused last could not be written.")
        await self._line.close()

    def _add(self, kind: Kind, noted: Noted) -> None:
        """Keep a kind, or count it as "other" where there are too many of its owner's, or in all."""
        had = self._noted.get(kind)
        if had is None:
            of_owner = self._owners.get(kind.tenant, 0)
            full = len(self._noted) >= MOST
            if (full or of_owner >= MOST_OF_AN_OWNER) and kind.reason != "other":
                owner = kind.tenant if of_owner else None
                other = Kind(owner, None, b"", self._transport, "", "other")
                self._add(other, Noted(sentence("other"), "", "", noted.first_time, noted.last_time, noted.count))
                return
            self._noted[kind] = noted
            self._owners[kind.tenant] = of_owner + 1
        else:
            had.count += noted.count
            had.first_time = min(had.first_time, noted.first_time)
            had.last_time = max(had.last_time, noted.last_time)

    async def _write_on(self) -> None:
        """Until there is nothing left to write, or a last time when it ends."""
        ending = False
        while self._noted and not ending:
            try:
                async with asyncio.timeout(settings.TB_REFUSALS_FLUSH_SECONDS):
                    await self._closing.wait()
            except TimeoutError:
                pass
            ending = self._closing.is_set()
            try:
                await self._flush()
            except Exception:
                log.exception("What was refused could not be written.")
        self._writer = None

    async def _flush(self) -> None:
        """Write what was gathered. What cannot be written is gathered again, unless it is too old."""
        batch, self._noted, self._owners = self._noted, {}, {}
        if not batch:
            return
        try:
            fresh = await self._line.rows(RECORD_SQL, parameters(batch.items()))
        except Unavailable as error:
            if not self._complained:
                log.warning("What was refused cannot be written for now: %s", error)
            self._complained = True
            self._put_back(batch)
            return
        except asyncio.CancelledError:
            self._put_back(batch)
            raise
        self._complained = False
        if fresh:
            try:
                await self._line.rows(TRIM_SQL, trim_parameters(fresh))
            except Unavailable as error:
                log.info("What was refused long ago will be removed later: %s", error)

    def _put_back(self, batch: dict[Kind, Noted]) -> None:
        oldest = now_ms() - KEEP_MS
        for kind, noted in batch.items():
            if noted.first_time < oldest:
                self.dropped += noted.count
            else:
                self._add(kind, noted)
