"""Ingest over MQTT, acknowledged after COMMIT: messages a second, latency and CPU a message, beside the proof's."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psutil
import psycopg

from thingsboard.embedded.addresses import database_url

from .ground import ROOT, CpuWatch, Ground, Row, free_port

SCENARIOS = (
    ("10,000/s, 500 devices", ("--devices=500", "--rate=10000")),
    ("25,000/s, 500 devices", ("--devices=500", "--rate=25000")),
    ("as fast as acknowledged, 500 devices", ("--devices=500",)),
    ("10,000/s, 5,000 devices", ("--devices=5000", "--rate=10000")),
    ("25,000/s, 5,000 devices", ("--devices=5000", "--rate=25000")),
    ("as fast as acknowledged, 5,000 devices", ("--devices=5000",)),
    ("10,000/s, 500 devices, server time", ("--devices=500", "--rate=10000", "--server-time")),
    ("as fast as acknowledged, 500 devices, server time", ("--devices=500", "--server-time")),
)
SETTLE_S = 2.0


@dataclass(frozen=True, slots=True)
class Measured:
    """The best round of one scenario. CPU in microseconds a message, memory in bytes before and after."""

    rate: float
    cpu_us: float
    result: dict[str, Any]
    before: int
    after: int
    problems: list[str]


def run(ground: Ground) -> Iterator[Row]:
    """Two rows a scenario: the platform's and the proof's CPU a message, the rates and latencies as remarks."""
    ground.loadtest("--devices=5000", "--rate=5000", "--duration=1", "--no-readback")  # makes the devices
    with proof_server(ground) as (server, port):
        for name, arguments in SCENARIOS:
            proof = best(ground, lambda: [server, *ground.postgres()], (*arguments, "--tokens=P"), port)
            yield Row(f"proof: {name}", proof.cpu_us, "us CPU/message", None, describe(proof))
            real = best(ground, ground.tree, arguments, ground.mqtt_port)
            ratio = real.cpu_us / proof.cpu_us if proof.cpu_us else None
            yield Row(f"platform: {name}", real.cpu_us, "us CPU/message", ratio, describe(real))


def best(ground: Ground, group: Callable[[], list[psutil.Process]], arguments: tuple[str, ...], port: int) -> Measured:
    """The round with the least CPU a message. The first one is read back, so that nothing wins by losing."""
    rounds = []
    problems: list[str] = []
    for number in range(ground.rounds):
        quick = () if number == 0 else ("--no-readback",)
        with CpuWatch(group) as watch:
            result = ground.loadtest(*arguments, *quick, f"--duration={ground.seconds}", mqtt_port=port)
        problems += result["problems"]
        cpu = watch.seconds_between(result["started"], result["finished"])
        cpu_us = 1e6 * cpu / max(1, result["acknowledged"])
        before, after = watch.memory_before, watch.memory_after
        rounds.append(Measured(result["messages_per_second"], cpu_us, result, before, after, problems))
        time.sleep(SETTLE_S)
    return min(rounds, key=lambda measured: measured.cpu_us)


def describe(measured: Measured) -> str:
    """Rate, latencies, the generator's CPU, memory, and what went wrong in any round."""
    ack, generator = measured.result["ack_ms"], measured.result["generator_cpu_us_per_message"]
    text = (
        f"{measured.rate:,.0f}/s, p50 {ack['p50']} ms, p99 {ack['p99']} ms, generator {generator:.1f} us, "
        f"memory {measured.before >> 20} -> {measured.after >> 20} MB"
    )
    return text + "".join(f"; {problem}" for problem in measured.problems)


@contextmanager
def proof_server(ground: Ground) -> Iterator[tuple[psutil.Process, int]]:
    """The proof, in a database of its own on the platform's PostgreSQL."""
    url = database_url(ground.data_dir)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE proof")
        port = free_port()
        dsn = url.replace("/thingsboard?", "/proof?")
        server = subprocess.Popen([sys.executable, "-m", "benchmarks.proof", str(port), dsn], cwd=ROOT)
        try:
            await_port(server, port)
            yield psutil.Process(server.pid), port
        finally:
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            connection.execute("DROP DATABASE proof WITH (FORCE)")


def await_port(server: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until somebody listens. Raises RuntimeError when the server ends or 30 s pass."""
    deadline = time.monotonic() + 30.0
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("The proof server did not start.")
