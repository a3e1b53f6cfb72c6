"""What a run came to: as a table for people, as JSON for machines, as an exit code for scripts."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from .readback import Findings


@dataclass(slots=True)
class Report:
    """The figures of one run. Times are seconds unless the name says otherwise; rates count the sending time alone."""

    devices: int
    points: int
    qos: int
    started: int = 0  # ms since 1970: the first message
    finished: int = 0  # ms since 1970: the last acknowledgement, or when it was no longer waited for
    seconds: float = 0.0
    sent: int = 0
    acknowledged: int = 0
    unacknowledged: int = 0
    held_back: int = 0
    rate: float = 0.0
    p50: float = 0.0
    p99: float = 0.0
    longest: float = 0.0
    refusals: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    reconnects: int = 0
    given_up: int = 0
    reconnect: bool = False
    interrupted: bool = False
    cpu_us: float = 0.0  # of this process, a message
    findings: Findings | None = None
    server_time: bool = False
    readback_error: str = ""

    def problems(self) -> list[str]:
        """One line for everything that makes the run a failure; empty when it passed."""
        found = []
        for reason, count in self.refusals.items():
            found.append(f"{count} of {self.devices} devices were refused: {reason}.")
        if self.findings is not None:
            if self.findings.lost:
                found.append(f"{self.findings.lost} acknowledged messages are not stored.")
            if self.findings.wrong:
                found.append(f"{self.findings.wrong} messages are stored with another value than was sent.")
            # A repetition of a message without its own time stamp is a new message to any server.
            if self.findings.surplus and not self.server_time:
                found.append(f"{self.findings.surplus} points are stored that were not sent, or were read twice.")
        if self.readback_error:
            found.append(f"Reading back failed: {self.readback_error}")
        if self.unacknowledged and not self.interrupted:
            found.append(f"{self.unacknowledged} messages were never acknowledged.")
        if self.broken and not self.reconnect:
            found.append(f"{self.broken} connections broke; --reconnect goes on over broken connections.")
        elif self.given_up:
            found.append(f"{self.given_up} devices found no way back within the longest outage.")
        return found

    def as_json(self) -> dict[str, Any]:
        """The figures under stable names; latencies in milliseconds, null where nothing was measured."""
        found = self.findings
        measured = bool(self.qos and self.acknowledged)
        return {
            "devices": self.devices,
            "points_per_message": self.points,
            "qos": self.qos,
            "started": self.started,
            "finished": self.finished,
            "seconds": round(self.seconds, 3),
            "sent": self.sent,
            "acknowledged": self.acknowledged if self.qos else None,
            "unacknowledged": self.unacknowledged,
            "held_back": self.held_back,
            "messages_per_second": round(self.rate, 1),
            "points_per_second": round(self.rate * self.points, 1),
            "ack_ms": {
                "p50": round(self.p50 * 1000, 2) if measured else None,
                "p99": round(self.p99 * 1000, 2) if measured else None,
                "max": round(self.longest * 1000, 2) if measured else None,
            },
            "refused": dict(self.refusals),
            "broken_connections": self.broken,
            "reconnects": self.reconnects,
            "interrupted": self.interrupted,
            "generator_cpu_us_per_message": round(self.cpu_us, 2),
            "stored": found.stored if found else None,
            "lost": found.lost if found else None,
            "surplus_points": found.surplus if found else None,
            "wrong_values": found.wrong if found else None,
            "problems": self.problems(),
        }

    def print_table(self, console: Console) -> None:
        """The table, then one line a problem."""
        table = Table(title="Load test" + (" (ended early)" if self.interrupted else ""), show_header=False)
        table.add_column(style="bold")
        table.add_column(justify="right")
        for name, value in self._rows():
            table.add_row(name, value)
        console.print(table)
        for problem in self.problems():
            console.print(problem, style="bold red", markup=False, highlight=False)

    def _rows(self) -> list[tuple[str, str]]:
        rows = [
            ("devices", f"{self.devices:,}"),
            ("seconds", f"{self.seconds:,.1f}"),
            ("sent", f"{self.sent:,}"),
        ]
        if self.qos:
            rows += [("acknowledged", f"{self.acknowledged:,}"), ("unacknowledged", f"{self.unacknowledged:,}")]
        if self.held_back:
            rows.append(("held back", f"{self.held_back:,}"))
        rows += [("messages/s", f"{self.rate:,.0f}"), ("points/s", f"{self.rate * self.points:,.0f}")]
        if self.qos and self.acknowledged:
            rows += [
                ("acknowledged within, p50", f"{self.p50 * 1000:,.1f} ms"),
                ("acknowledged within, p99", f"{self.p99 * 1000:,.1f} ms"),
                ("acknowledged within, max", f"{self.longest * 1000:,.1f} ms"),
            ]
        if self.broken:
            rows += [("broken connections", f"{self.broken:,}"), ("reconnected", f"{self.reconnects:,}")]
        found = self.findings
        if found is not None:
            rows.append(("stored", f"{found.stored:,}"))
            rows.append(("lost", f"{found.lost:,}") if self.qos else ("not stored", f"{self.sent - found.stored:,}"))
            rows.append(("surplus points", f"{found.surplus:,}"))
        rows.append(("generator CPU a message", f"{self.cpu_us:.1f} us"))
        return rows
