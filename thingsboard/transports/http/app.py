"""The HTTP device API as a plain ASGI application, in front of Django (compat/device_transports.md 3).

200 goes out only after COMMIT. What is under a reserved word (`/api/v1/devices/...`) is not ours.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

from django.conf import settings

from devices.services.credentials import RESERVED_TOKENS, DeviceIdentity
from thingsboard.kernel.batch import Refused
from thingsboard.kernel.disk import watch
from thingsboard.transports.http.pipeline import MakeIngest, Overloaded, Pipeline, Ticket, TooFast
from thingsboard.transports.http.reads import AttributeReader
from thingsboard.transports.http.withholding import Withheld
from thingsboard.transports.line import Unavailable
from thingsboard.transports.messages import UplinkKind
from thingsboard.transports.reasons import SENTENCES
from thingsboard.transports.refusals import RefusalLog

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PREFIX = "/api/v1/"
UPLINKS = {"telemetry": UplinkKind.TELEMETRY, "attributes": UplinkKind.ATTRIBUTES}
METHODS = {"telemetry": ("POST",), "attributes": ("GET", "POST")}
# By the code of a refusal; every other one is 500, as ThingsBoard answers broken JSON.
STATUSES = {"key_limit": 429, "unavailable": 503}
# How long a request may still wait for its commit when the server stops, in seconds.
STOP_SECONDS = 3.0
RETRY_SECONDS = b"1"
BEHIND_SECONDS = b"10"  # a backlog takes longer than a busy moment
DEVICE = "thingsboard.device"  # where a request's scope holds its DeviceIdentity once it is known

_START = "http.response.start"
_BODY = "http.response.body"


class Answer(NamedTuple):
    """A response; without `content_type` its body is empty."""

    status: int
    body: bytes = b""
    content_type: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    reason: str = ""  # why it is a refusal, as a short code


DONE = Answer(200)
UNAUTHORIZED = Answer(401, reason="wrong_token")


class _Gone(Exception):
    """The client left before its request was complete."""


class _TooLarge(Exception):
    """The body is above TB_HTTP_MAX_PAYLOAD."""


def addressed(path: str) -> tuple[str, str] | None:
    """The token and the resource of a device's path, None for a path that is not the device API's."""
    if not path.startswith(PREFIX):
        return None
    token, _, resource = path[len(PREFIX) :].partition("/")
    return None if not token or token in RESERVED_TOKENS else (token, resource)


class DeviceApi:
    """The application. Its pipeline starts with the first request, on the loop that serves it."""

    def __init__(self, make_ingest: MakeIngest) -> None:
        self._make_ingest = make_ingest
        self.pipeline: Pipeline | None = None
        self._reader = AttributeReader()
        self._starting = asyncio.Lock()
        self.refusals = RefusalLog("HTTP")
        self.answered: dict[int, int] = {}  # requests by the status they were answered with

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request whose path is `addressed`."""
        try:
            answer = await self._answer(scope, receive)
        except _Gone:
            return
        except Exception:
            log.exception("A request of a device could not be answered.")
            answer = _text("internal", 500, "The request could not be processed.")
        self.answered[answer.status] = self.answered.get(answer.status, 0) + 1
        if answer.reason:
            self._note(scope, answer)
        headers = [(b"content-length", b"%d" % len(answer.body)), *answer.headers]
        if answer.content_type:
            headers.append((b"content-type", answer.content_type))
        await send({"type": _START, "status": answer.status, "headers": headers})
        await send({"type": _BODY, "body": answer.body})

    async def close(self) -> bool:
        """Commit what is queued and let the connections go; False when that did not end in time.

        Daphne has no hook that would call it. At SIGTERM it cancels its requests, which then wait for their commits
        themselves (STOP_SECONDS); whatever ends with the process later was not acknowledged.
        """
        await self._reader.close()
        await self.refusals.close()
        pipeline, self.pipeline = self.pipeline, None
        return pipeline is None or await pipeline.close()

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        token, resource = addressed(scope["path"]) or ("", "")
        allowed = METHODS.get(resource)
        if allowed is None:
            return _text(
                "resource", 404, "There is no such resource; expected /api/v1/{token}/telemetry or /attributes."
            )
        method = scope["method"]
        if method not in allowed:
            expected = ", ".join(allowed)
            sentence = f"{method[:20]} is not possible here; expected {expected}."
            return _text("method", 405, sentence, (b"allow", expected.encode()))
        ticket: Ticket | None = None
        try:
            async with asyncio.timeout(settings.TB_HTTP_TIMEOUT):
                pipeline = self.pipeline or await self._started()
                identity = await pipeline.identify(token)
                if identity is None:
                    return UNAUTHORIZED
                scope[DEVICE] = identity
                if method == "GET":
                    return await self._attributes(identity, scope)
                shortage = watch().shortage()
                if shortage is not None:
                    return _later("disk", f"{shortage} Nothing was stored.")
                await pipeline.withholding.passage(identity.tenant_id, _announced(scope))
                body = await _body(scope, receive)
                ticket = await pipeline.submit(identity, UPLINKS[resource], body)
                return _outcome(await ticket.answer)
        except TimeoutError:
            if ticket is None and self._withheld(scope):
                return BEHIND
            return _later(
                "timeout" if ticket else "overload",
                "The database did not confirm in time. The data may still be stored."
                if ticket
                else "The platform is busy. Nothing was stored.",
            )
        except asyncio.CancelledError:  # the server stops
            if ticket is None:
                raise
            return await _at_the_end(ticket)
        except Unavailable:
            return _later("database", "The database cannot be reached. Nothing was stored.")
        except Withheld:
            return BEHIND
        except Overloaded:
            return _later("overload", "The platform is busy. Nothing was stored.")
        except TooFast:
            return _text("rate", 429, "This device sends faster than it can be served. Nothing was stored.", _RETRY)
        except _TooLarge:
            limit = settings.TB_HTTP_MAX_PAYLOAD
            return _text("payload_size", 413, f"The body is too large; expected at most {limit} bytes.")

    def _withheld(self, scope: Scope) -> bool:
        """Whether this request waited because its tenant's backlog is too large."""
        identity: DeviceIdentity | None = scope.get(DEVICE)
        pipeline = self.pipeline
        return identity is not None and pipeline is not None and identity.tenant_id in pipeline.withholding.watch.over

    def _note(self, scope: Scope, answer: Answer) -> None:
        """For whoever asks why a device is refused. Behind a proxy the address is the proxy's."""
        client = scope.get("client")
        token, _ = addressed(scope["path"]) or ("", "")
        said = answer.body.decode() if answer.reason not in SENTENCES else ""
        address = str(client[0]) if client else ""
        self.refusals.note(answer.reason, said, address=address, identity=scope.get(DEVICE), token=token)

    async def _started(self) -> Pipeline:
        """The pipeline, made by whoever comes first."""
        async with self._starting:
            if self.pipeline is None:
                pipeline = Pipeline(self._make_ingest)
                try:
                    await pipeline.start()
                except BaseException:
                    await pipeline.close()
                    raise
                self.pipeline = pipeline
            return self.pipeline

    async def _attributes(self, identity: DeviceIdentity, scope: Scope) -> Answer:
        body = await self._reader.read(identity.device_id, scope["query_string"])
        return Answer(200, body, b"application/json")


_RETRY = (b"retry-after", RETRY_SECONDS)


def _text(reason: str, status: int, sentence: str, *headers: tuple[bytes, bytes]) -> Answer:
    return Answer(status, sentence.encode(), b"text/plain; charset=utf-8", headers, reason)


def _later(reason: str, sentence: str) -> Answer:
    return _text(reason, 503, f"{sentence} Send it again.", _RETRY)


BEHIND = _text(
    "backlog",
    503,
    f"{SENTENCES['backlog']} Nothing was stored. Send it again.",
    (b"retry-after", BEHIND_SECONDS),
)


def _outcome(refused: Refused | None) -> Answer:
    """The response to a message that was committed, or refused."""
    if refused is None:
        return DONE
    status = STATUSES.get(refused.code, 500)
    if status == 503:
        return _later(refused.code, refused.reason)
    return _text(refused.code, status, refused.reason)


async def _at_the_end(ticket: Ticket) -> Answer:
    try:
        return _outcome(await ticket.last_chance(STOP_SECONDS))
    except TimeoutError:
        return _later("unavailable", "The platform is stopping. The data may still be stored.")


def _announced(scope: Scope) -> int:
    """The bytes of the body; the most there may be where that was not said."""
    limit: int = settings.TB_HTTP_MAX_PAYLOAD
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return min(int(lengths[0][:19]), limit) if lengths and lengths[0].isdigit() else limit


async def _body(scope: Scope, receive: Receive) -> bytes:
    """The whole body. Raises _TooLarge as soon as that is clear, _Gone when the client left."""
    limit: int = settings.TB_HTTP_MAX_PAYLOAD
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or int(value) > limit):
            raise _TooLarge
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise _Gone
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _TooLarge
        if not message.get("more_body", False):
            return b"".join([*parts, part]) if parts else part
        parts.append(part)
