"""One HTTP connection, and its requests until they are complete: everything that arrives is counted and timed.

Twisted collects a body before it calls the application, so its bounds must stand here. This is the one file that relies on
Twisted's inner names: `HTTPChannel._path`. tests/web/ fails when they change.
"""

import time
from typing import Any, cast

from daphne.http_protocol import WebRequest
from twisted.web.http import HTTPChannel

from thingsboard.web.limits import BUSY, CRUMBS, SLOWEST, Limits, Refusal, too_large, too_slow

# Whoever was refused and still sends may do so for so long and so much, unheard: closed at once, it would often not see the
# answer.
LINGER_SECONDS = 2.0
LINGER_BYTES = 1 << 20
# What the framing of chunks may add to a body, beside a quarter of it: each chunk is work, whatever its size.
FRAMING_BYTES = 65_536
# Twisted's own bounds, named here because limits.md names them: bytes and number of the headers of one request.
MAX_HEADER_BYTES, MAX_HEADERS = 16_384, 100


class Bodies:
    """The bytes of all bodies that the process holds, from their arrival to the end of their response."""

    __slots__ = ("held", "most")

    def __init__(self, most: int) -> None:
        self.most, self.held = most, 0


class Request(WebRequest):
    """Daphne's request; its body is counted as it comes."""

    def __init__(self, channel: "Channel", *_: Any) -> None:
        # Django parses forms. Parsed here as well, they would be in memory several times.
        super().__init__(channel, parsePOSTFormSubmission=False)
        self._bodies = channel.bodies
        self._size = 0

    def handleContentChunk(self, data: bytes) -> None:
        """Some of the body."""
        channel = cast(Channel, self.channel)
        if not channel.take(self._size, len(data)):
            return
        self._size += len(data)
        super().handleContentChunk(data)

    def finish(self) -> None:
        """The response is complete."""
        self._let_go()
        super().finish()

    def connectionLost(self, reason: Any) -> None:
        """The client is gone."""
        self._let_go()
        super().connectionLost(reason)

    def _let_go(self) -> None:
        self._bodies.held -= self._size
        self._size = 0


class Channel(HTTPChannel):
    """Twisted's connection, with deadlines that no trickle of bytes can put off, and limits that come before the reading."""

    requestFactory = Request
    totalHeadersSize = MAX_HEADER_BYTES
    maxHeaders = MAX_HEADERS

    def __init__(self, limits: Limits, bodies: Bodies) -> None:
        super().__init__()
        self.limits, self.bodies = limits, bodies
        self.refused = False
        # Since when the other side owes us the rest of a request; None while it owes nothing.
        self.owing_since: float | None = time.monotonic()
        self._unheard = 0  # bytes since it was refused
        self._limit = 0  # bytes of the present body
        self._target = b""  # what the present request asks for
        self._arrived = 0  # bytes of the present body so far, with the framing of chunks
        self._kept = 0  # and without it

    def dataReceived(self, data: bytes) -> None:
        """Bytes of any cut."""
        if self.refused:
            self._unheard += len(data)
            if self._unheard > LINGER_BYTES:
                self.transport.pauseProducing()
            return
        if self.owing_since is None and not self._handlingRequest:
            self.owing_since = time.monotonic()
        super().dataReceived(data)

    def allHeadersReceived(self) -> None:
        """Refuse a body whose announced length is too large, before `100 Continue` invites it."""
        self._target = self._path
        self._limit = self.limits.body_of(self._target)
        self._arrived = self._kept = 0
        if self.length is not None and self.length > self._limit:
            self.refuse(too_large(self._limit))
            return
        super().allHeadersReceived()

    def rawDataReceived(self, data: bytes) -> None:
        """Of a body, or of a request that has to wait for its predecessor."""
        if self.refused:
            return
        if not self._handlingRequest:
            self._arrived += len(data)
        super().rawDataReceived(data)
        owing = self.owing_since is not None and not self.refused
        if owing and self._arrived - self._kept > FRAMING_BYTES + self._kept // 4:
            self.refuse(CRUMBS)

    def take(self, size: int, more: int) -> bool:
        """Whether `more` bytes of a body that has `size` already may be kept; else it is refused."""
        if self.refused:
            return False
        if size + more > self._limit:
            self.refuse(too_large(self._limit))
        elif self.bodies.held + more > self.bodies.most:
            self.refuse(BUSY)
        else:
            self.bodies.held += more
            self._kept += more
        return not self.refused

    def allContentReceived(self) -> None:
        """The request is complete: nothing is owed until the next one."""
        if self.refused:
            return
        self.owing_since = None
        super().allContentReceived()

    def overdue(self, now: float) -> bool:
        """Whether the rest of a request has been owed for too long; who sends a large body steadily is given its time."""
        if self.owing_since is None or self.refused:
            return False
        return now - self.owing_since > self.limits.read_timeout + self._arrived / SLOWEST

    def cut(self) -> None:
        """Too slow: say so if a request was begun, and close."""
        if self.requests:
            self.refuse(too_slow(self.limits.read_timeout))
        else:
            self.refused = True
            self.loseConnection()

    def refuse(self, refusal: Refusal) -> None:
        """Answer, stop reading for good, and close; what was collected of the body is thrown away."""
        self.refused = True
        self.persistent = 0
        for request in self.requests:
            if request.content is not None:
                request.content.close()
                request.content = None
            request._let_go()
        transport = self.transport
        transport.write(refusal.response(self._target))
        transport.loseWriteConnection()
        self.setTimeout(None)
        self._abortingCall = self.callLater(LINGER_SECONDS, self.forceAbortClient)
