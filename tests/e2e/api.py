"""A client of the REST API that shares no code with the platform."""

import json
import urllib.parse
import urllib.request
from typing import Any


class Api:
    """Logged in as one user from the start."""

    def __init__(self, port: int, username: str = "tenant@thingsboard.org", password: str = "tenant") -> None:
        self.port = port
        self.token = ""
        self.token = self.post("/api/auth/login", {"username": username, "password": password})["token"]

    def get(self, path: str, **query: object) -> Any:
        """The JSON of the answer. Raises HTTPError."""
        return self._ask(f"{path}?{urllib.parse.urlencode(query)}", None)

    def post(self, path: str, body: object) -> Any:
        """The JSON of the answer. Raises HTTPError."""
        return self._ask(path, json.dumps(body).encode())

    def device_id(self, name: str) -> str:
        """The id of the tenant's device of this name."""
        return str(self.get("/api/tenant/devices", deviceName=name)["id"]["id"])

    def latest(self, device_id: str, *keys: str) -> dict[str, str]:
        """The newest values, as the API words them."""
        path = f"/api/plugins/telemetry/DEVICE/{device_id}/values/timeseries"
        return {key: points[0]["value"] for key, points in self.get(path, keys=",".join(keys)).items()}

    def _ask(self, path: str, body: bytes | None) -> Any:
        headers = {"Content-Type": "application/json"} | (
            {"X-Authorization": f"Bearer {self.token}"} if self.token else {}
        )
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())
