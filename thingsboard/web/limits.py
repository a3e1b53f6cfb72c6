"""What a connection of the web process may use at most, and what the door says when it is asked for more."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

import orjson
from django.conf import settings

from thingsboard.kernel.errors import ErrorCode
from thingsboard.kernel.time import now_ms
from thingsboard.transports.http.app import addressed

# A body may take the time that these bytes per second need, beside the time that any request has. Slower is an attack.
SLOWEST = 4096


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one listener: counts, bytes and seconds."""

    max_connections: int
    max_body: int
    max_device_body: int
    max_bodies: int
    read_timeout: float
    idle_timeout: float
    max_message: int  # of a WebSocket
    ping_seconds: float
    pong_timeout: float

    @property
    def check_seconds(self) -> float:
        """How often timeouts are looked for."""
        return min(2.0, self.ping_seconds / 4, self.pong_timeout / 4)

    @classmethod
    def from_settings(cls) -> Self:
        """As the TB_HTTP_* settings say."""
        return cls(
            max_connections=settings.TB_HTTP_MAX_CONNECTIONS,
            max_body=settings.TB_HTTP_MAX_BODY,
            max_device_body=settings.TB_HTTP_MAX_PAYLOAD,
            max_bodies=settings.TB_HTTP_MAX_BODIES,
            read_timeout=settings.TB_HTTP_READ_TIMEOUT,
            idle_timeout=settings.TB_HTTP_IDLE_TIMEOUT,
            max_message=settings.TB_WS_MAX_MESSAGE,
            ping_seconds=settings.TB_WS_PING_SECONDS,
            pong_timeout=settings.TB_WS_PONG_TIMEOUT,
        )

    def body_of(self, target: bytes) -> int:
        """The most bytes that the body of a request for this target (path and query) may have."""
        return self.max_body if addressed(path_of(target)) is None else self.max_device_body


def path_of(target: bytes) -> str:
    """The path as the application will see it."""
    return unquote(target.partition(b"?")[0].decode("latin-1"))


@dataclass(frozen=True, slots=True)
class Refusal:
    """A status and a sentence for who asks for too much."""

    status: int
    phrase: str
    sentence: str

    def response(self, target: bytes) -> bytes:
        """The whole response, after which the connection is closed: ThingsBoard's error body on its own paths
        (compat/data_model.md 1.1), plain text for devices and everybody else.
        """
        path = path_of(target)
        if path.startswith("/api/") and addressed(path) is None:
            error = {
                "status": self.status,
                "message": self.sentence,
                "errorCode": int(ErrorCode.BAD_REQUEST_PARAMS if self.status == 413 else ErrorCode.GENERAL),
                "timestamp": now_ms(),
            }
            kind, body = "application/json", orjson.dumps(error)
        else:
            kind, body = "text/plain; charset=utf-8", self.sentence.encode()
        head = f"HTTP/1.1 {self.status} {self.phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        later = "Retry-After: 1\r\n" if self.status == 503 else ""
        return f"{head}{later}Connection: close\r\n\r\n".encode() + body


def too_large(limit: int) -> Refusal:
    """The body has, or will have, more than `limit` bytes."""
    return Refusal(413, "Content Too Large", f"The body is too large; expected at most {limit} bytes.")


def too_slow(seconds: float) -> Refusal:
    """The request did not arrive in time."""
    return Refusal(408, "Request Timeout", f"The request did not arrive in time; expected it within {seconds:g} s.")


BUSY = Refusal(503, "Service Unavailable", "The platform is busy. Nothing was stored. Send it again.")
CRUMBS = Refusal(400, "Bad Request", "The body came in too many small chunks; expected chunks of 32 bytes or more.")
