"""GET /health/live and /health/ready, with a real web process, database, Valkey, worker, and a stand-in for MQTT."""

import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until
from thingsboard.embedded import postgres, valkey
from thingsboard.supervisor import run
from thingsboard.supervisor.processes import Plan, runnable, table

CHECKOUT = Path(run.__file__).parents[2]
CONNACK_WRONG_VERSION = b"\x20\x02\x00\x01"


class Broker(socketserver.BaseRequestHandler):
    """Answers a CONNECT of an unknown level as MQTT demands."""

    def handle(self) -> None:
        if self.request.recv(64)[:1] == b"\x10":
            self.request.sendall(CONNACK_WRONG_VERSION)


class Mute(socketserver.BaseRequestHandler):
    """Accepts connections and speaks something else."""

    def handle(self) -> None:
        self.request.recv(64)
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n")


@contextmanager
def listening(handler: type[socketserver.BaseRequestHandler], port: int) -> Iterator[int]:
    """A TCP server for the time of the block."""
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", port), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Web:
    """A web process over servers of its own."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.http, self.mqtt = free_port(), free_port()
        self.processes = {p.name: p for p in table(Plan(directory))}
        clean = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
        self.environment = clean | {
            "DJANGO_SETTINGS_MODULE": "thingsboard.settings",
            "TB_DATA_DIR": str(directory),
            "TB_HTTP_PORT": str(self.http),
            "TB_MQTT_PORT": str(self.mqtt),
            "TB_MQTT_WS_PORT": "0",
            "DEBUG": "0",
        }
        stack.callback(self.stop_all)
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.start("web")

    def start(self, name: str) -> None:
        argv = runnable(self.processes[name].command, sys.executable)
        self.running[name] = subprocess.Popen(argv, cwd=CHECKOUT, env=self.environment, stderr=subprocess.DEVNULL)

    def stop(self, name: str) -> None:
        self.running[name].kill()
        self.running.pop(name).wait()

    def stop_all(self) -> None:
        for name in list(self.running):
            self.stop(name)

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, Any]]:
        connection = HTTPConnection("127.0.0.1", self.http, timeout=10)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        except (OSError, HTTPException):
            return 0, {}
        finally:
            connection.close()

    def ready(self) -> bool:
        return self.get("/health/ready")[0] == 200

    def failed(self) -> dict[str, str]:
        """What is not well, by name."""
        status, body = self.get("/health/ready")
        assert status in {200, 503}
        return {name: check["detail"] for name, check in body["checks"].items() if not check["ok"]}


def test_ready_means_that_all_parts_answer_and_else_says_which_does_not(servers_dir: Path) -> None:
    with ExitStack() as stack:
        stack.enter_context(postgres.throwaway(servers_dir))
        stack.enter_context(valkey.throwaway(servers_dir))
        web = Web(servers_dir, stack)
        until(lambda: web.get("/health/live") == (200, {"status": "UP"}))
        # A probe comes by address, whatever ALLOWED_HOSTS says.
        assert web.get("/health/live", Host="10.1.2.3:8080")[0] == 200
        assert web.failed() == {
            "rules": "no rules worker answers",
            "mqtt": "the MQTT listener does not accept connections",
        }
        web.start("rules")
        with listening(Mute, web.mqtt):
            until(lambda: set(web.failed()) == {"mqtt"})
            assert web.failed() == {"mqtt": "the MQTT listener does not speak MQTT"}
        with listening(Broker, web.mqtt):
            until(web.ready)
            assert web.get("/health/ready")[1]["checks"]["database"]["detail"] in {"TimescaleDB", "native partitions"}


@pytest.mark.slow
def test_a_part_that_goes_away_is_named_and_may_come_back(servers_dir: Path) -> None:
    with ExitStack() as stack:
        database, bus = stack.enter_context(ExitStack()), stack.enter_context(ExitStack())
        database.enter_context(postgres.throwaway(servers_dir))
        bus.enter_context(valkey.throwaway(servers_dir))
        web = Web(servers_dir, stack)
        web.start("rules")
        with listening(Broker, web.mqtt):
            until(web.ready)
            web.stop("rules")
            until(lambda: web.failed() == {"rules": "no rules worker answers"})
            database.close()
            assert web.failed()["database"] == "the database does not answer"
            bus.close()
            until(lambda: web.failed().get("redis") == web.failed().get("rules") == "Redis does not answer")
            assert web.get("/health/live")[0] == 200
            database.enter_context(postgres.throwaway(servers_dir))
            bus.enter_context(valkey.throwaway(servers_dir))
            web.start("rules")
            until(web.ready)
