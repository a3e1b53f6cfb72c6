"""What stops a start: one clear line each, exit code 1, no traceback, no password."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.supervisor.commands import environment, free_port, manage
from thingsboard.embedded.directories import locked

# Each starts programs: a second or more of nothing but imports.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("preflight")]

Refusal = Callable[..., str]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def refusal(servers_dir: Path) -> Refusal:
    """Run `manage.py up` with these variables; the line with which it refuses."""

    def up(**variables: object) -> str:
        result = manage("up", variables=environment(servers_dir, **variables))
        assert result.returncode == 1, result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        [line] = result.stderr.strip().splitlines()
        return line

    return up


def test_a_port_in_use_is_named_with_its_setting_and_its_holder(refusal: Refusal, taken: int) -> None:
    line = refusal(TB_MQTT_PORT=taken)
    assert f"TB_MQTT_PORT={taken}: the port is in use" in line
    if sys.platform == "linux":
        assert f"by process {os.getpid()}" in line


def test_one_port_for_two_things_is_refused(refusal: Refusal) -> None:
    port = free_port()
    assert "TB_HTTP_PORT and TB_MQTT_PORT are both" in refusal(TB_HTTP_PORT=port, TB_MQTT_PORT=port)


def test_the_ports_of_other_mqtt_listeners_are_looked_at_when_they_are_on(refusal: Refusal, taken: int) -> None:
    assert f"TB_MQTT_WS_PORT={taken}: the port is in use" in refusal(TB_MQTT_WS_PORT=taken)


def test_a_certificate_that_cannot_be_used_is_named(refusal: Refusal) -> None:
    assert "TB_MQTT_SSL_CERT is set, but not TB_MQTT_SSL_KEY" in refusal(TB_MQTT_SSL_CERT="/somewhere.pem")
    line = refusal(TB_MQTT_SSL_CERT="/nowhere.pem", TB_MQTT_SSL_KEY="/nowhere.key")
    assert "TB_MQTT_SSL_CERT=/nowhere.pem cannot be read" in line


def test_a_network_that_is_none_is_refused(refusal: Refusal) -> None:
    assert "TB_MQTT_PROXY_TRUSTED='10.0.0.1/8': expected networks" in refusal(TB_MQTT_PROXY_TRUSTED="::1,10.0.0.1/8")


def test_a_port_that_is_no_number_is_refused(refusal: Refusal) -> None:
    assert "TB_HTTP_PORT='eighty': expected a whole number" in refusal(TB_HTTP_PORT="eighty")


def test_an_address_of_another_machine_is_refused(refusal: Refusal) -> None:
    assert "TB_BIND=192.0.2.1 is no address of this machine" in refusal(TB_BIND="192.0.2.1")


def test_a_data_directory_that_cannot_be_used_is_named(refusal: Refusal, servers_dir: Path) -> None:
    (servers_dir / "file").write_text("")
    assert f"TB_DATA_DIR={servers_dir}/file" in refusal(TB_DATA_DIR=servers_dir / "file")


def test_a_second_platform_on_the_same_data_is_refused(refusal: Refusal, servers_dir: Path) -> None:
    with locked(servers_dir):
        assert f"is in use by another platform (process {os.getpid()})" in refusal()


def test_data_of_another_postgresql_is_refused(refusal: Refusal, servers_dir: Path) -> None:
    (servers_dir / "postgres").mkdir()
    (servers_dir / "postgres" / "PG_VERSION").write_text("9\n")
    line = refusal()
    assert "was made by PostgreSQL 9" in line
    assert "PG_BIN" in line


def test_missing_binaries_are_named(refusal: Refusal, servers_dir: Path) -> None:
    assert "PG_BIN=" in refusal(PG_BIN=servers_dir)
    assert "VALKEY_BIN=" in refusal(VALKEY_BIN=servers_dir)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("nonsense", "expected postgresql://user:password@host:port/name"),
        ("postgresql://tb:hush@127.0.0.1:1", "names no database"),
        ("postgresql://tb:hush@127.0.0.1:1/tb", "Connection refused"),
        ("postgresql://tb:hush@nowhere.invalid/tb", "nowhere.invalid"),
    ],
)
def test_a_wrong_database_url_is_explained_without_its_password(refusal: Refusal, url: str, reason: str) -> None:
    line = refusal(DATABASE_URL=url)
    assert "DATABASE_URL" in line
    assert reason in line
    assert "hush" not in line


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("nonsense", "expected redis://"),
        ("redis://:hush@127.0.0.1:1/0", "refused"),
        ("redis://:hush@127.0.0.1:port/0", "expected redis://"),
    ],
)
def test_a_wrong_redis_url_is_explained_without_its_password(refusal: Refusal, url: str, reason: str) -> None:
    line = refusal(REDIS_URL=url)
    assert "REDIS_URL" in line
    assert reason in line
    assert "hush" not in line


def test_production_refuses_a_published_secret(refusal: Refusal) -> None:
    assert "SECRET_KEY is too short or published" in refusal(DEBUG=0, SECRET_KEY="changeme" * 8)
