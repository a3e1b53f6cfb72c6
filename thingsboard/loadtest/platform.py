"""The platform's REST API, as far as a load test needs it. ThingsBoard's paths, so a ThingsBoard will do as well.

Tokens are derived, not remembered: the HMAC-SHA256 of URL, user and device name under a random key that never leaves
this machine. The device's label carries a fingerprint of that key, so a second run knows which tokens it can derive and
asks only for those of devices that another machine made. Neither name nor label helps anybody to guess a token.
"""

import asyncio
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Self, TypeVar

import httpx
import orjson

from .device import Identity

CONNECTIONS = 8
TIMEOUT_S = 60.0
PAGE_SIZE = 1_000
RETRY_S = 0.25
UNAVAILABLE = (502, 503, 504)
NAME = re.compile(r"loadtest \d{5}")

T = TypeVar("T")


class PlatformError(Exception):
    """A request that failed; the text says which and what the platform answered."""


async def all_of(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of all, in order; the first error ends the others and is raised as it is."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


def device_name(number: int) -> str:
    """The name of device 1, 2, ..."""
    return f"loadtest {number:05d}"


class Platform:
    """A session of one user: an async context manager. Every request has a timeout; after a 401 it logs in again.

    `patience` (s) is how long it retries while the platform cannot be reached or answers that it is not available.
    """

    def __init__(self, url: str, username: str, password: str, key: str, patience: float = 0.0) -> None:
        self._patience = patience
        self._url, self._username, self._password = url.rstrip("/"), username, password
        self._key = key.encode()
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        # No proxies from the environment: a load test goes where it was told to and nowhere else.
        self._http = httpx.AsyncClient(base_url=self._url, timeout=TIMEOUT_S, limits=limits, trust_env=False)
        self._login = asyncio.Lock()
        self._token = ""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._http.aclose()

    # -- requests

    async def _request(self, method: str, path: str, **arguments: Any) -> Any:
        """The JSON of the answer, None when it is empty. Raises PlatformError."""
        if not self._token:
            await self._log_in("")
        used = self._token
        answer = await self._send(method, path, used, **arguments)
        if answer.status_code == 401:
            await self._log_in(used)
            answer = await self._send(method, path, self._token, **arguments)
        return self._content(method, path, answer)

    async def _send(self, method: str, path: str, token: str, **arguments: Any) -> httpx.Response:
        headers = {"X-Authorization": f"Bearer {token}"} if token else {}
        deadline = time.monotonic() + self._patience
        while True:
            last = time.monotonic() >= deadline
            try:
                answer = await self._http.request(method, path, headers=headers, **arguments)
                if answer.status_code not in UNAVAILABLE or last:
                    return answer
            except httpx.HTTPError as error:
                if last:
                    reason = str(error) or type(error).__name__
                    raise PlatformError(f"{method} {self._url}{path}: {reason}") from None
            await asyncio.sleep(RETRY_S)

    def _content(self, method: str, path: str, answer: httpx.Response) -> Any:
        if answer.is_success:
            try:
                return orjson.loads(answer.content) if answer.content else None
            except orjson.JSONDecodeError:
                raise PlatformError(
                    f"{method} {self._url}{path}: expected JSON, got {answer.content[:80]!r}."
                ) from None
        try:
            reason = str(orjson.loads(answer.content)["message"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            reason = answer.reason_phrase
        raise PlatformError(f"{method} {self._url}{path}: {answer.status_code} {reason}")

    async def _log_in(self, used: str) -> None:
        """A new token, unless another request fetched one since `used` was found to be invalid."""
        async with self._login:
            if self._token == used:
                path = "/api/auth/login"
                login = {"username": self._username, "password": self._password}
                answer = await self._send("POST", path, "", json=login)
                token = (self._content("POST", path, answer) or {}).get("token")
                if not isinstance(token, str) or not token:
                    raise PlatformError(f"POST {self._url}{path}: the answer has no token.")
                self._token = token

    # -- devices

    @property
    def fingerprint(self) -> str:
        """What marks the devices whose tokens this machine can derive."""
        return "loadtest key " + hmac.digest(self._key, b"fingerprint", hashlib.sha256).hex()[:12]

    def token_for(self, name: str) -> str:
        """The token of a device that this machine made: 32 hexadecimal characters."""
        subject = "\n".join((self._url, self._username, name)).encode()
        return hmac.digest(self._key, b"token:" + subject, hashlib.sha256).hex()[:32]

    async def devices(self, count: int, on_progress: Callable[[int], None]) -> list[Identity]:
        """The first `count` devices of load tests, those missing created; `on_progress` hears how many are ready."""
        existing = {device["name"]: device async for device in self._existing()}
        ready = 0
        made = asyncio.Semaphore(CONNECTIONS)

        async def one(name: str) -> Identity:
            nonlocal ready
            async with made:
                identity = await self._identity(name, existing.get(name))
            ready += 1
            on_progress(ready)
            return identity

        return await all_of(one(device_name(n)) for n in range(1, count + 1))

    async def _existing(self) -> Any:
        page = 0
        while True:
            query = {
                "pageSize": PAGE_SIZE,
                "page": page,
                "textSearch": "loadtest",
                "sortProperty": "name",
                "sortOrder": "ASC",
            }
            answer = await self._request("GET", "/api/tenant/devices", params=query)
            for device in answer["data"]:
                if NAME.fullmatch(device["name"]):
                    yield device
            if not answer["hasNext"]:
                return
            page += 1

    async def _identity(self, name: str, device: dict[str, Any] | None) -> Identity:
        token = self.token_for(name)
        if device is None:
            body = {"name": name, "type": "default", "label": self.fingerprint}
            device = await self._request("POST", "/api/device", params={"accessToken": token}, json=body)
            assert device is not None  # noqa: S101 - a success without a body fails on the next line anyway
        elif device.get("label") != self.fingerprint:
            credentials = await self._request("GET", f"/api/device/{device['id']['id']}/credentials")
            if credentials.get("credentialsType") != "ACCESS_TOKEN":
                kind = credentials.get("credentialsType")
                raise PlatformError(f"Device {name!r} has credentials of type {kind}, expected ACCESS_TOKEN.")
            token = str(credentials["credentialsId"])
        return Identity(name, token, str(device["id"]["id"]))

    # -- telemetry

    async def latest_ts(self, device_ids: Iterable[str], key: str) -> int:
        """The newest time stamp of `key` over these devices, 0 without any."""
        newest = 0
        for device_id in device_ids:
            path = f"/api/plugins/telemetry/DEVICE/{device_id}/values/timeseries"
            for point in (await self._request("GET", path, params={"keys": key})).get(key, []):
                if point["value"] is not None:
                    newest = max(newest, int(point["ts"]))
        return newest

    async def history(
        self, device_id: str, keys: list[str], start: int, end: int, limit: int
    ) -> dict[str, list[dict[str, Any]]]:
        """The points of `keys` with start <= ts < end (ms), oldest first, at most `limit` a key."""
        query: dict[str, str | int] = {
            "keys": ",".join(keys),
            "startTs": start,
            "endTs": end,
            "limit": limit,
            "agg": "NONE",
            "orderBy": "ASC",
            "useStrictDataTypes": "true",
        }
        path = f"/api/plugins/telemetry/DEVICE/{device_id}/values/timeseries"
        answer: dict[str, list[dict[str, Any]]] = await self._request("GET", path, params=query)
        return answer
