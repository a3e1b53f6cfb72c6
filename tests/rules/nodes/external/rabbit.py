"""A throw-away RabbitMQ on loopback: a directory, ports and an epmd of its own, no plugins.

Debian: apt install rabbitmq-server.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
START_S = 60.0


def free_ports(count: int) -> list[int]:
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in taken]
    for each in taken:
        each.close()
    return ports


@contextmanager
def running(directory: Path) -> Iterator[int]:
    """Its port; user and password are guest, the virtual host /."""
    amqp, distribution, names = free_ports(3)
    (directory / "enabled_plugins").write_text("[].\n")
    (directory / "rabbitmq.conf").write_text(
        "vm_memory_high_watermark.absolute = 256MB\ndisk_free_limit.absolute = 1MB\n"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(directory),
        "ERL_EPMD_PORT": str(names),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": "test@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(amqp),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none",
        "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
        "RABBITMQ_LOG_BASE": str(directory / "log"),
        "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq"),
        "RABBITMQ_CONF_ENV_FILE": str(directory / "no-such-file"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "enabled_plugins"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(directory / "config"),
        "RABBITMQ_PID_FILE": str(directory / "pid"),
    }
    output = (directory / "output").open("wb")
    process = subprocess.Popen(
        [SERVER], env=environment, cwd=directory, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        _wait(process, amqp, directory / "output")
        yield amqp
    finally:
        output.close()
        _kill(process)
        if epmd := shutil.which("epmd"):
            _end_names([epmd, "-port", str(names), "-kill"], environment)


def _kill(process: subprocess.Popen) -> None:
    """There is nothing to save. Children first, so that their parents notice."""
    for child in psutil.Process(process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            child.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(5)
    process.kill()
    process.wait()


def _end_names(command: list[str], environment: dict[str, str]) -> None:
    """Its epmd, as soon as that has noticed that nobody is left."""
    for _ in range(50):
        if subprocess.run(command, capture_output=True, env=environment, check=False).returncode == 0:
            return
        time.sleep(0.05)


def _wait(process: subprocess.Popen, port: int, output: Path) -> None:
    """Until it greets as AMQP servers do: who speaks another version is told which one it should be."""
    ends = time.monotonic() + START_S
    while time.monotonic() < ends:
        assert process.poll() is None, output.read_text(errors="replace")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(b"AMQP\x00\x00\x00\x00")
                if connection.recv(4) == b"AMQP":
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(output.read_text(errors="replace"))
