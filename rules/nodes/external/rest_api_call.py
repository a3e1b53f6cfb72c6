"""Rest api call."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar, Final, NamedTuple

import msgspec

from rules.node import SUCCESS, Category, Config, Emit, Msg, Outside, OutsideNode, TryAgain
from rules.node.credentials import ANONYMOUS, Basic, Credentials, shown, tls_context
from rules.node.leaving import endpoint, payload, shown_body, shown_headers, shown_url
from rules.node.message import Body
from rules.node.template import Template
from thingsboard.kernel.encoding import json_bytes
from thingsboard.kernel.outgoing.errors import Interrupted, NotSent
from thingsboard.kernel.outgoing.tunnel import Proxy

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
BUFFER_KB, LARGEST_BUFFER_KB = 256, 25_000
LONGEST_PAUSE_S: Final = 50.0

# Where Spring's names of statuses are not Python's.
_NAMES: Final = {
    413: "PAYLOAD_TOO_LARGE",
    414: "URI_TOO_LONG",
    416: "REQUESTED_RANGE_NOT_SATISFIABLE",
    418: "I_AM_A_TEAPOT",
    422: "UNPROCESSABLE_ENTITY",
    509: "BANDWIDTH_LIMIT_EXCEEDED",
}
_CHARSET: Final = re.compile(r"charset\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)


class RestApiCallConfig(Config, frozen=True):
    """Which request is made of a message, and through what."""

    NEW: ClassVar[Mapping[str, Any]] = {
        "restEndpointUrlPattern": "http://localhost/api",
        "headers": {"Content-Type": "application/json"},
    }

    rest_endpoint_url_pattern: str = ""
    request_method: str = "POST"
    headers: dict[str, str] = {}
    use_simple_client_http_factory: bool = False
    read_timeout_ms: int = 0
    max_parallel_requests_count: int = 0
    parse_to_plain_text: bool = False
    enable_proxy: bool = False
    use_system_proxy_properties: bool = False
    proxy_host: str | None = None
    proxy_port: int = 0
    proxy_user: str | None = None
    proxy_password: str | None = None
    proxy_scheme: str | None = None
    credentials: Credentials = ANONYMOUS
    ignore_request_body: bool = False
    max_in_memory_buffer_size_in_kb: int = BUFFER_KB
    # Of ThingsBoard's next version. To ignore them would be to send something else.
    query_params: list[Any] | msgspec.UnsetType = msgspec.UNSET
    request_body_template: str | msgspec.UnsetType = msgspec.UNSET


class Request(NamedTuple):
    """What is sent."""

    url: str
    headers: list[tuple[str, str]]
    body: bytes


class RestApiCall(OutsideNode):
    """Sends the message to an HTTP server, and goes on with its answer.

    The body of the message is that of the request (POST, PUT, PATCH, DELETE), the answer's body is that of the outgoing
    message. The metadata tell `status`, `statusCode`, `statusReason` and the answer's headers. URL and headers may have
    `${metadataKey}` and `$[bodyKey]`.

    Failure: any answer that is not 2xx (redirects are not followed), with `statusCode` and `error_body`; no answer in time
    (50 s where nothing else is said); an answer that is longer than the buffer; a destination that is not permitted. A request
    that never left is tried again.
    """

    TYPE = "org.thingsboard.rule.engine.rest.TbRestApiCallNode"
    NAME = "rest api call"
    CATEGORY = Category.EXTERNAL
    VERSION = 3
    CONFIG = RestApiCallConfig
    CONFIG_DIRECTIVE = "tbExternalNodeRestApiCallConfig"

    def __init__(self, config: RestApiCallConfig, name: str = "") -> None:
        super().__init__(config, name)
        if config.request_method not in METHODS:
            raise ValueError(f"{config.request_method!r} is not a method; expected one of {', '.join(METHODS)}.")
        if config.max_in_memory_buffer_size_in_kb > LARGEST_BUFFER_KB:
            raise ValueError(
                f"The buffer has {config.max_in_memory_buffer_size_in_kb} KB; expected at most {LARGEST_BUFFER_KB}."
            )
        if config.query_params or config.request_body_template:
            raise ValueError(
                "queryParams and requestBodyTemplate are of a later version of this node; expected neither."
            )
        self._url = Template(config.rest_endpoint_url_pattern)
        self._headers = [(Template(name), Template(value)) for name, value in config.headers.items()]
        wanted = config.read_timeout_ms / 1000
        self._pause_s = min(wanted, LONGEST_PAUSE_S) if wanted > 0 else LONGEST_PAUSE_S

    @classmethod
    def upgrade(cls, version: int, raw: dict[str, Any]) -> dict[str, Any]:
        """Version 0 had `trimDoubleQuotes`, version 1 its own queue in Redis, version 2 no bound of the answer."""
        new = dict(raw)
        if version < 1 and "trimDoubleQuotes" in new:
            trim = new.pop("trimDoubleQuotes")
            new.setdefault("parseToPlainText", trim is True)
        if version < 2:
            for gone in ("useRedisQueueForMsgPersistence", "trimQueue", "maxQueueSize"):
                new.pop(gone, None)
        if version < 3:
            new.setdefault("maxInMemoryBufferSizeInKb", BUFFER_KB)
        return new

    def destination(self, msg: Msg) -> str:
        """Scheme, host and port of the URL."""
        from thingsboard.kernel.outgoing import urls

        target = urls.parse(self._url.fill(msg))
        return f"{target.scheme}://{endpoint(target.host, target.port)}"

    def preview(self, msg: Msg) -> dict[str, Any]:
        """The request, without what looks like a secret."""
        request = self._request(msg)
        return {
            "method": self.config.request_method,
            "url": shown_url(request.url),
            "headers": shown_headers(request.headers),
            "body": shown_body(request.body),
            "credentials": shown(self.config.credentials),
        }

    async def perform(self, outside: Outside, msg: Msg) -> Emit:
        """One request, one answer."""
        from thingsboard.kernel.outgoing import http, urls

        request = self._request(msg)
        target = urls.parse(request.url)
        proxy = self._proxy(target.scheme)
        config = self.config
        connections = max(0, config.max_parallel_requests_count) or http.CONNECTIONS
        # A bound of its own is for the requests of this node; else nodes that ask alike share what they have open.
        own = config.rest_endpoint_url_pattern if config.max_parallel_requests_count > 0 else ""

        async def made() -> http.Client:
            tls = tls_context(config.credentials)
            return http.Client(outside.guard, tls, proxy=proxy, connections=min(connections, http.CONNECTIONS))

        try:
            key = ("http", proxy, config.credentials, connections, own)
            async with outside.shared(key, made, http.Client.close) as client:
                answer = await client.ask(
                    config.request_method,
                    target,
                    request.headers,
                    request.body,
                    within_s=self._pause_s,
                    max_body=1024 * (max(0, config.max_in_memory_buffer_size_in_kb) or BUFFER_KB),
                )
        except NotSent as error:
            raise TryAgain(str(error)) from error
        except Interrupted as error:
            return Emit.failure(msg, str(error))
        return self._answered(msg, answer, f"{config.request_method} {shown_url(request.url).partition('?')[0]}")

    def _answered(self, msg: Msg, answer: Any, asked: str) -> Emit:
        reason = answer.reason or _phrase(answer.status)
        status = {"status": _name(answer.status), "statusCode": str(answer.status), "statusReason": reason}
        told = {**msg.metadata, **status, **_metadata(answer.headers)}
        text = answer.body.decode(_charset(answer.headers), "replace")
        if 200 <= answer.status < 300:
            return Emit(SUCCESS, msg.with_data(Body(text.encode() if text else b"{}"), metadata=told))
        failed = msg.with_all_metadata({**told, "error_body": text})
        return Emit.failure(failed, f"{answer.status} {reason} from {asked}")

    def _request(self, msg: Msg) -> Request:
        config = self.config
        headers = [(name.fill(msg), value.fill(msg)) for name, value in self._headers]
        for name, value in headers:
            if not name or "\r" in name + value or "\n" in name + value:
                raise ValueError(f"The header {name!r} has an empty name or a line break.")
        names = {name.lower() for name, _ in headers}
        if isinstance(config.credentials, Basic):
            headers = [(name, value) for name, value in headers if name.lower() != "authorization"]
            headers.append(("Authorization", config.credentials.header))
        body = b""
        if config.request_method in WITH_BODY and not config.ignore_request_body:
            if not config.parse_to_plain_text:
                _ = msg.data.value  # raises ValueError: what is not JSON is not sent as JSON
            body = payload(msg, config.parse_to_plain_text)
            if "content-type" not in names:
                plain = "text/plain;charset=UTF-8" if config.parse_to_plain_text else "application/json"
                headers.append(("Content-Type", plain))
        if "accept" not in names:
            headers.append(("Accept", "*/*"))
        if "user-agent" not in names:
            headers.append(("User-Agent", "thingsboard"))
        return Request(self._url.fill(msg), headers, body)

    def _proxy(self, scheme: str) -> Proxy | None:
        from thingsboard.kernel.outgoing import urls

        config = self.config
        if not config.enable_proxy:
            return None
        if not config.use_system_proxy_properties:
            if not config.proxy_host or not 0 < config.proxy_port < 65536:
                raise ValueError("The proxy needs a host, and a port from 1 to 65535.")
            if (config.proxy_scheme or "http").lower() != "http":
                raise ValueError(f"The proxy's scheme is {config.proxy_scheme!r}; expected http.")
            return Proxy(config.proxy_host, config.proxy_port, config.proxy_user or "", config.proxy_password or "")
        from urllib.request import getproxies_environment

        there = getproxies_environment()
        url = there.get(scheme) or there.get("all")
        if not url:
            raise ValueError(
                f"The platform has no proxy of its own; expected {scheme.upper()}_PROXY in its environment."
            )
        return urls.proxy(url)


def _metadata(headers: Any) -> dict[str, str]:
    """Each header; one that came several times is a JSON array."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else json_bytes(values).decode() for name, values in found.items()}


def _charset(headers: Any) -> str:
    for name, value in headers:
        if name.lower() == "content-type" and (match := _CHARSET.search(value)):
            try:
                "".encode(match[1])
                return match[1]
            except (LookupError, ValueError):
                break
    return "utf-8"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _name(status: int) -> str:
    if status in _NAMES:
        return _NAMES[status]
    try:
        return HTTPStatus(status).name
    except ValueError:
        return str(status)
