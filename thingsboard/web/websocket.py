"""WebSockets of the web process: Daphne's, with bounds on what a client sends and on what it does not read.

ASGI knows no ping. Ours is asked for with a message: the callable in its `confirmed` is called when the client has answered
a ping that was sent behind it, and so has read it. Who does not answer a ping in time is closed with 4500, as ThingsBoard
does (compat/websocket.md 1).
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from thingsboard.web.limits import Limits

EXTENSIONS: dict[str, dict[str, Any]] = {"thingsboard.confirm": {}}
NOT_RELIABLE, POLICY = 4500, 1008
# Messages that the application has not taken yet, and their bytes.
MOST_WAITING, MOST_WAITING_BYTES = 1000, 1 << 20
LONGEST_REASON = 123  # bytes, RFC 6455 5.5


class Socket(WebSocketProtocol):
    """One WebSocket."""

    def __init__(self) -> None:
        super().__init__()
        self._asked: deque[tuple[int, float, Callable[[], None] | None]] = deque()  # pings without an answer
        self._number = 0
        self._waiting_bytes = 0

    def handle_reply(self, message: dict[str, Any]) -> None:
        """What the application sends."""
        if message["type"] == "websocket.close" and self.state == self.STATE_OPEN:
            self.end(message.get("code") or 1000, message.get("reason") or "")
            return
        if message["type"] == "websocket.send" and self.state != self.STATE_OPEN:
            return  # it is closing; the application will hear of it
        super().handle_reply(message)
        if "confirmed" in message:
            self._ping(message["confirmed"])

    def end(self, code: int, reason: str) -> None:
        """Close it; Daphne leaves the reason out, and its library knows fewer codes than the standard."""
        text = reason.encode()[:LONGEST_REASON].decode(errors="ignore").encode()
        self.sendCloseFrame(code=code, reasonUtf8=text)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """A message of the client; one that sends faster than it is heard is closed."""
        queue = self.application_queue
        self._waiting_bytes = self._waiting_bytes + len(payload) if queue.qsize() else len(payload)
        if queue.qsize() >= MOST_WAITING or self._waiting_bytes > MOST_WAITING_BYTES:
            self.end(POLICY, "Too many messages wait to be answered")
            return
        super().onMessage(payload, isBinary)

    def onPong(self, payload: bytes) -> None:
        """The client has read everything up to that ping."""
        number = int.from_bytes(payload, "big")
        while self._asked and self._asked[0][0] <= number:
            _, _, confirmed = self._asked.popleft()
            if confirmed is not None:
                confirmed()
        self.last_ping = time.time()

    def check_timeouts(self) -> None:
        """Called every now and then: close the dead, ask the silent."""
        limits: Limits = self.factory.limits
        if self.state != self.STATE_OPEN:
            super().check_timeouts()
        elif self._asked:
            if time.monotonic() - self._asked[0][1] > limits.pong_timeout:
                self.end(NOT_RELIABLE, "No answer to a ping")
        elif time.time() - self.last_ping > limits.ping_seconds:
            self._ping(None)

    def _ping(self, confirmed: Callable[[], None] | None) -> None:
        self._number += 1
        self._asked.append((self._number, time.monotonic(), confirmed))
        self.sendPing(self._number.to_bytes(8, "big"))


class Sockets(WebSocketFactory):
    """Makes them. Handed messages of other sizes and kinds, they close with the code that the standard has for it."""

    protocol = Socket

    def __init__(self, server: Any, limits: Limits) -> None:
        super().__init__(server, server=server.server_name)
        self.limits = limits
        self.setProtocolOptions(
            autoPingTimeout=0,
            allowNullOrigin=True,
            openHandshakeTimeout=server.websocket_handshake_timeout,
            maxMessagePayloadSize=limits.max_message,
            maxFramePayloadSize=limits.max_message,
            failByDrop=False,
        )
