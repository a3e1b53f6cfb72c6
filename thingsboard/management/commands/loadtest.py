"""`manage.py loadtest`: simulated devices against a running platform."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console

from thingsboard.kernel.secrets import secret_text
from thingsboard.loadtest import journal, session
from thingsboard.loadtest.fleet import Unreachable
from thingsboard.loadtest.options import BadOptions, Options, host_and_port
from thingsboard.loadtest.platform import PlatformError
from thingsboard.loadtest.progress import Bars
from thingsboard.loadtest.report import Report

try:
    from uvloop import new_event_loop
except ImportError:  # Windows
    from asyncio import new_event_loop

INTERRUPTED = 130


class Command(BaseCommand):
    """Parse, run, print. Exit code 0: passed; 1: something was lost, refused or unanswered; 130: cancelled."""

    help = (
        "Simulate devices against a running platform (MQTT), then read back what it stored. "
        "Only this machine's own platform unless --i-own-this-host is given."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The options of docs/reference/loadtest.md."""
        add = parser.add_argument
        add("--url", default=f"http://127.0.0.1:{settings.TB_HTTP_PORT}", help="the platform's REST API")
        add("--mqtt", default=f"127.0.0.1:{settings.TB_MQTT_PORT}", metavar="HOST:PORT", help="its MQTT listener")
        add("--username", default="tenant@thingsboard.org", help="a tenant administrator (default: the demo's)")
        add("--password", default="tenant", help="default: the demo's")
        add("--devices", type=int, default=500, help="how many devices (default 500)")
        add("--rate", type=float, default=0, help="messages/s over all devices; 0 = as fast as acknowledged (default)")
        add("--window", type=int, default=0, help="unacknowledged messages a device may have; 0 = chosen (default)")
        add("--points", type=int, default=3, help="data points a message (default 3)")
        add("--qos", type=int, default=1, choices=(0, 1))
        add("--duration", type=float, default=60, metavar="S", help="seconds of sending (default 60)")
        add("--server-time", action="store_true", help="send no time stamps: the server stamps on arrival")
        add("--journal", type=Path, metavar="FILE", help="keep what was sent and acknowledged in this file")
        add("--verify", type=Path, metavar="FILE", help="send nothing: read back what this journal says")
        add("--no-readback", action="store_true", help="do not read back what was stored")
        add("--reconnect", action="store_true", help="go on over broken connections and resend")
        add("--max-outage", type=float, default=60, metavar="S", help="give up after this long (default 60)")
        add("--grace", type=float, default=10, metavar="S", help="wait for the last acknowledgements (default 10)")
        add("--tokens", default="", metavar="PREFIX", help="no REST API: tokens PREFIX00001, ...; no reading back")
        add("--json", action="store_true", help="print the result as JSON")
        add("--i-own-this-host", action="store_true", help="allow a host other than this machine")

    def handle(self, *args: Any, **given: Any) -> None:
        """Run the load test and leave with its exit code."""
        console = Console(stderr=True)
        try:
            options = _options(given)
            options.check()
            report = _run(options, given["verify"], Bars(console))
        except (BadOptions, PlatformError, Unreachable, journal.BadJournal, OSError) as error:
            raise CommandError(str(error)) from None
        if given["json"]:
            self.stdout.write(json.dumps(report.as_json()))
        else:
            report.print_table(Console())
        if report.problems():
            sys.exit(1)


def _options(given: dict[str, Any]) -> Options:
    host, port = host_and_port(given["mqtt"], settings.TB_MQTT_PORT)
    return Options(
        url=given["url"],
        mqtt_host=host,
        mqtt_port=port,
        username=given["username"],
        password=given["password"],
        devices=given["devices"],
        rate=given["rate"],
        window=given["window"],
        points=given["points"],
        qos=given["qos"],
        duration=given["duration"],
        server_time=given["server_time"],
        journal=given["journal"],
        readback=not (given["no_readback"] or given["tokens"]),
        reconnect=given["reconnect"],
        max_outage=given["max_outage"],
        grace=given["grace"],
        tokens=given["tokens"],
        foreign_host=given["i_own_this_host"],
    )


def _run(options: Options, verify: Path | None, bars: Bars) -> Report:
    key = "" if options.tokens else secret_text(settings.TB_DATA_DIR, "loadtest.key")
    work = session.verify(journal.read(verify), options, key, bars) if verify else session.run(options, key, bars)
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        try:
            return runner.run(work)
        except (asyncio.CancelledError, KeyboardInterrupt):
            sys.exit(INTERRUPTED)
