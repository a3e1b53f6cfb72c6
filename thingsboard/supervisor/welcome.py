"""Tells the user when the platform is ready, and with what to try it first."""

import json
import threading
import time
from http.client import HTTPConnection, HTTPException

from django.conf import settings

from thingsboard.embedded.addresses import reachable
from thingsboard.transports.mqtt.ports import Port, open_ports

from .output import Output

ASK_EVERY = 0.5  # seconds
COMPLAIN_AFTER = 20.0  # seconds without readiness; then again after each doubling


class Watch:
    """Asks /health/ready until it says yes, and says why it does not."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def run(self, stopping: threading.Event) -> None:
        """Blocks until ready or stopping."""
        started = time.monotonic()
        complain_after = COMPLAIN_AFTER
        while not stopping.wait(ASK_EVERY):
            status, reasons = ask(reachable(settings.TB_BIND), settings.TB_HTTP_PORT)
            if status == 200:
                self._output.write(welcome(time.monotonic() - started))
                return
            if time.monotonic() - started > complain_after:
                complain_after *= 2
                self._output.say("up", f"not ready yet: {reasons}")


def ask(host: str, port: int) -> tuple[int, str]:
    """The status of /health/ready (0 when nobody answers) and what is wrong, on one line."""
    connection = HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        response = connection.getresponse()
        body = json.loads(response.read(65536))
        failed = [f"{name}: {check['detail']}" for name, check in body["checks"].items() if not check["ok"]]
        return response.status, "; ".join(failed)
    except (OSError, HTTPException):
        return 0, "the web process does not answer yet"
    except (ValueError, KeyError, TypeError):
        return 0, f"port {port} answers, but not as our web process does"
    finally:
        connection.close()


def _where(port: Port, host: str) -> str:
    kind = port.title.removeprefix("MQTT").removeprefix(" over ")
    return f"{host}:{port.number}{'/mqtt' if port.websocket else ''}{f' ({kind})' if kind else ''}"


def welcome(seconds: float) -> str:
    """What the user sees when everything answers."""
    host, port = reachable(settings.TB_BIND), settings.TB_HTTP_PORT
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    lines = [
        "",
        f"Ready after {seconds:.1f} s.",
        f"  Web        {url}/   admin {url}/admin/   readiness {url}/health/ready",
        "  MQTT       " + ", ".join(_where(port, host) for port in open_ports()),
    ]
    if settings.DEBUG:
        lines += [
            "  Log in as  tenant@thingsboard.org / tenant, sysadmin@thingsboard.org / sysadmin, "
            "customer@thingsboard.org / customer",
            "  Send a value as one of the demo devices (another one's token is DHT11_DEMO_TOKEN):",
            f"    mosquitto_pub -d -q 1 -h {host} -p {settings.TB_MQTT_PORT} -t v1/devices/me/telemetry "
            "-u A1_TEST_TOKEN -m '{\"temperature\":25}'",
            "  Log in over HTTP:",
            f"    curl -s -X POST {url}/api/auth/login -H 'Content-Type: application/json' "
            '-d \'{"username":"tenant@thingsboard.org","password":"tenant"}\'',
        ]
    return "\n".join([*lines, "", ""])
