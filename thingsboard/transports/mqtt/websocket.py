"""MQTT over WebSocket (MQTT 3.1.1 and 5, section 6; RFC 6455) as a layer, on the Sans-I/O half of `websockets`.

Frames are taken for what they are here, pieces of one stream of bytes: a packet may span frames, a frame may hold many
packets, and both end in the connection, which alone knows where a packet ends. A page of any origin may connect: devices
are recognised by what they say in CONNECT, never by something that a browser would add on its own.
"""

import asyncio
import logging
from collections.abc import Sequence

from websockets.exceptions import NegotiationError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from thingsboard.transports.mqtt.flow import CLOSED, NEW, Flow
from thingsboard.transports.mqtt.layer import Layer
from thingsboard.transports.mqtt.limits import MAX_CONNECT, MAX_EARLY, MAX_TOPIC

# What `websockets` says about every single connection would be the devices' to write; we count instead.
# The library tells of every handshake that it refuses, which we count. Not of the tree of loggers, whose levels any new
# configuration sets anew.
log = logging.Logger(__name__, logging.WARNING)
log.parent = logging.getLogger(__name__)

PATH = "/mqtt"
SUBPROTOCOLS = (Subprotocol("mqtt"), Subprotocol("mqttv3.1"))


class _Server(ServerProtocol):
    """Says what it expects."""

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """The first of ours that is offered. Raises NegotiationError."""
        for ours in SUBPROTOCOLS:
            if ours in subprotocols:
                return ours
        raise NegotiationError(f"expected the subprotocol {' or '.join(SUBPROTOCOLS)} in Sec-WebSocket-Protocol")


class WebSocket(Layer):
    """One connection."""

    __slots__ = ("_early", "_ws")

    def __init__(self, flow: Flow, above: asyncio.Protocol) -> None:
        super().__init__(flow, above)
        largest = max(MAX_CONNECT, flow.hub.limits.max_payload + MAX_TOPIC + 7)
        self._ws = _Server(max_size=largest, logger=log)
        self._early = 0  # bytes before the CONNECT

    def data_received(self, data: bytes) -> None:
        """Bytes of any cut: answer what WebSocket itself asks, and hand over the rest in one piece."""
        ws, reason = self._ws, ""
        ws.receive_data(data)
        plain: list[bytes] = []
        for event in ws.events_received():
            if isinstance(event, Request):
                if not self._answer(event):
                    reason = "ws_handshake"
                    break
            elif isinstance(event, Frame):
                if event.opcode is Opcode.TEXT:
                    ws.fail(1003, "MQTT packets come in binary frames.")
                    reason = "ws_text"
                    break
                if event.opcode in (Opcode.BINARY, Opcode.CONT) and event.data:
                    plain.append(bytes(event.data))
        self._flush()
        if plain:
            self.above.data_received(b"".join(plain))
        if self.flow.state == NEW and not reason:
            self._early += len(data)
            if self._early > MAX_EARLY:
                reason = self._too_much()
        if ws.eof_sent and self.flow.state != CLOSED:
            self.flow.close(reason or self._ended())

    def _answer(self, request: Request) -> bool:
        """Whether the request opens a WebSocket; it is answered in any case."""
        ws = self._ws
        if ws.eof_sent:  # a frame behind the request was wrong already
            return False
        if request.path.partition("?")[0] == PATH:
            response = ws.accept(request)
        else:
            response = ws.reject(404, f"There is nothing here; expected the path {PATH}.\n")
        ws.send_response(response)
        return response.status_code == 101

    def _too_much(self) -> str:
        """Refuse who sends ever more without a CONNECT; the reason."""
        ws = self._ws
        if ws.state is not State.CONNECTING:
            ws.fail(1009, f"Expected a CONNECT within {MAX_EARLY} bytes.")
        elif not ws.eof_sent:
            ws.send_response(ws.reject(431, f"The request is too long; expected at most {MAX_EARLY} bytes.\n"))
        self._flush()
        return "ws_early"

    def _ended(self) -> str:
        """Why `websockets` ends the connection; "" when the client asked for it."""
        if self._ws.handshake_exc is not None:
            return "ws_handshake"
        return "ws_protocol" if self._ws.parser_exc is not None else ""

    def write(self, data: "bytes | bytearray | memoryview") -> None:
        """Send a binary frame, unless the WebSocket is not open."""
        if self._ws.state is State.OPEN:
            self._ws.send_binary(bytes(data))
            self._flush()

    def _flush(self) -> None:
        data = b"".join(self._ws.data_to_send())
        if data and not self.below.is_closing():
            self.below.write(data)

    def close(self) -> None:
        """Say goodbye as WebSocket wants it, and close."""
        if self._ws.state is State.OPEN:
            self._ws.send_close(1000)
            self._flush()
        super().close()
