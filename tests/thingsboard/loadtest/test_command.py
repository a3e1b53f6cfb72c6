"""The command line of `manage.py loadtest`."""

import asyncio
import io
import json

import pytest
from django.core.management import CommandError, call_command

from thingsboard.loadtest.options import BadOptions, host_and_port

from .small_platform import SmallPlatform


@pytest.mark.parametrize(
    "arguments", [["--url", "http://192.0.2.1"], ["--mqtt", "example.org:1883"], ["--mqtt", "0.0.0.0:1883"]]
)
def test_a_host_that_is_not_this_machine_is_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=r"is not this machine.*--i-own-this-host"):
        call_command("loadtest", *arguments)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--devices", "0"], "--devices 0: expected a number from 1 to 50000"),
        (["--duration", "nan"], "--duration nan: expected"),
        (["--rate", "-1"], "--rate -1: expected"),
        (["--url", "ftp://127.0.0.1"], "expected http://host:port"),
        (["--mqtt", "127.0.0.1:x"], "expected host:port"),
        (["--verify", "/nonexistent"], "cannot be read"),
    ],
)
def test_a_bad_option_is_one_clear_line(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("loadtest", *arguments)


def test_addresses_may_be_ipv6_and_leave_the_port_out() -> None:
    assert host_and_port("[::1]:1999", 1883) == ("::1", 1999)
    assert host_and_port("localhost", 1883) == ("localhost", 1883)
    with pytest.raises(BadOptions):
        host_and_port("a/b", 1883)


async def test_the_command_prints_json_and_leaves_with_1_after_a_loss(capsys: pytest.CaptureFixture[str]) -> None:
    async with SmallPlatform() as platform:
        platform.forget_every = 30
        out = io.StringIO()
        arguments = ["--devices=3", "--rate=300", "--duration=0.3", "--json", f"--url={platform.url}"]
        arguments.append(f"--mqtt=127.0.0.1:{platform.mqtt_port}")
        with pytest.raises(SystemExit) as left:
            await asyncio.to_thread(call_command, "loadtest", *arguments, stdout=out)
    assert left.value.code == 1
    assert json.loads(out.getvalue())["lost"] == 3
