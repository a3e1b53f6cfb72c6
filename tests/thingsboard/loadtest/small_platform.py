"""A platform small enough to break in every way a load test must notice: MQTT and five REST calls over one dictionary."""

import asyncio
import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class SmallPlatform:
    """Stores what it acknowledges unless told otherwise. Use as an async context manager."""

    def __init__(self) -> None:
        self.devices: dict[str, dict[str, Any]] = {}  # by name
        self.tokens: dict[str, str] = {}  # token -> device id
        self.stored: dict[str, dict[str, dict[int, Any]]] = {}  # device id -> key -> ts -> value
        self.topics: set[str] = set()
        self.repeated = 0
        self.requests: list[str] = []
        self.refuse_with = 0
        self.acknowledge = True
        self.forget_every = 0  # acknowledge, but do not store, every n-th message
        self.break_after = 0  # cut a connection once, after n messages, the last one neither stored nor acknowledged
        self.reverse = False
        self.logins = 0
        self.expired = False
        self.received = 0
        self.connections: set[asyncio.Transport] = set()

    async def __aenter__(self) -> "SmallPlatform":
        loop = asyncio.get_running_loop()
        self._mqtt = await loop.create_server(lambda: _Session(self), "127.0.0.1", 0)
        self.mqtt_port = self._mqtt.sockets[0].getsockname()[1]
        platform = self

        class Handler(_Api):
            small = platform

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        for transport in list(self.connections):
            transport.abort()
        self._mqtt.close()
        await self._mqtt.wait_closed()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def create(self, name: str, token: str, label: str = "") -> dict[str, Any]:
        """A device with its token."""
        device_id = str(uuid.uuid5(uuid.NAMESPACE_OID, name))
        self.devices[name] = {"id": {"entityType": "DEVICE", "id": device_id}, "name": name, "label": label}
        self.tokens[token] = device_id
        return self.devices[name]

    def store(self, device_id: str, payload: bytes) -> None:
        """Keep one message's points."""
        message = json.loads(payload)
        ts = message.get("ts", 1_700_000_000_000 + self.received)
        for key, value in message.get("values", message).items():
            self.stored.setdefault(device_id, {}).setdefault(key, {})[ts] = value


class _Session(asyncio.Protocol):
    def __init__(self, platform: SmallPlatform) -> None:
        self.platform, self.buffer, self.device_id, self.messages = platform, b"", "", 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.platform.connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.platform.connections.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        acks = []
        while len(self.buffer) >= 2:
            length, used = self.buffer[1] & 127, 2
            if self.buffer[1] & 128:
                length, used = length | self.buffer[2] << 7, 3
            if len(self.buffer) < used + length:
                break
            header, body = self.buffer[0], self.buffer[used : used + length]
            self.buffer = self.buffer[used + length :]
            if header == 0x10:
                self.on_connect(body)
            elif header & 0xF0 == 0x30:
                acks += self.on_publish(header, body)
        if self.platform.reverse:
            acks.reverse()
        if acks and not self.transport.is_closing():
            joined = b"".join(acks)
            self.transport.write(joined[:5])  # an acknowledgement may arrive in two pieces
            self.transport.write(joined[5:])

    def on_connect(self, body: bytes) -> None:
        at = 10
        at += 2 + int.from_bytes(body[at : at + 2])
        token = body[at + 2 : at + 2 + int.from_bytes(body[at : at + 2])].decode()
        self.device_id = self.platform.tokens.get(token, token)
        self.transport.write(bytes((0x20, 2, 0, self.platform.refuse_with)))

    def on_publish(self, header: int, body: bytes) -> list[bytes]:
        platform = self.platform
        platform.received += 1
        self.messages += 1
        platform.repeated += header >> 3 & 1
        end = 2 + int.from_bytes(body[:2])
        platform.topics.add(body[2:end].decode())
        qos = header >> 1 & 3
        if platform.break_after and self.messages == platform.break_after:
            platform.break_after = 0
            self.transport.abort()
        if not platform.acknowledge or self.transport.is_closing():
            return []
        if not (platform.forget_every and platform.received % platform.forget_every == 0):
            platform.store(self.device_id, body[end + 2 * qos :])
        return [b"\x40\x02" + body[end : end + 2]] if qos else []


class _Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    small: SmallPlatform

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def answer(self, body: Any, status: int = 200) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        url = urlsplit(self.path)
        self.small.requests.append(f"POST {url.path}")
        if url.path == "/api/auth/login":
            if body["password"] != "tenant":
                return self.answer({"status": 401, "message": "Invalid username or password", "errorCode": 10}, 401)
            self.small.logins += 1
            self.small.expired = False
            return self.answer({"token": f"t{self.small.logins}"})
        token = parse_qs(url.query)["accessToken"][0]
        return self.answer(self.small.create(body["name"], token, body["label"]))

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        self.small.requests.append(f"GET {url.path}")
        if self.small.expired:
            return self.answer({"status": 401, "message": "Token has expired", "errorCode": 11}, 401)
        if url.path == "/api/tenant/devices":
            found = sorted(
                (d for name, d in self.small.devices.items() if query["textSearch"] in name), key=lambda d: d["name"]
            )
            size, page = 2, int(query["page"])  # two a page, so that paging is used
            data = found[page * size : (page + 1) * size]
            return self.answer({"data": data, "hasNext": len(found) > (page + 1) * size})
        if url.path.endswith("/credentials"):
            device_id = url.path.split("/")[3]
            token = next(token for token, owner in self.small.tokens.items() if owner == device_id)
            return self.answer({"credentialsType": "ACCESS_TOKEN", "credentialsId": token})
        return self.answer(self.timeseries(url.path.split("/")[5], query))

    def timeseries(self, device_id: str, query: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
        series = self.small.stored.get(device_id, {})
        keys = query["keys"].split(",")
        if "startTs" not in query:
            return {key: [{"ts": max(series.get(key, {0: 0})), "value": 1}] for key in keys}
        start, end, limit = int(query["startTs"]), int(query["endTs"]), int(query["limit"])
        points = {key: sorted((ts, v) for ts, v in series.get(key, {}).items() if start <= ts < end) for key in keys}
        return {key: [{"ts": ts, "value": v} for ts, v in rows[:limit]] for key, rows in points.items() if rows}
