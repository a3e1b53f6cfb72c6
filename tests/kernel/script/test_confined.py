"""What the jailed process has no right to: nothing can be opened, begun or reached from there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernel.script.asking import run
from thingsboard.kernel.script import Jail, process

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


class TestRights:
    def test_nothing_can_be_opened_nor_written_nor_begun(self, jail: Jail) -> None:
        run(jail, "return 1;")
        lines = Path(f"/proc/{jail.pid}/limits").read_text().splitlines()
        limits = {line[:26].strip(): line[26:].split()[:2] for line in lines}
        for name in ("Max open files", "Max file size", "Max core file size", "Max processes"):
            assert limits[name] == ["0", "0"], name
        assert limits["Max address space"][0] != "unlimited" and limits["Max cpu time"][0] != "unlimited"

    def test_it_is_nobody_and_stays_so(self, jail: Jail) -> None:
        run(jail, "return 1;")
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{jail.pid}/status").read_text().splitlines())
        assert "0" not in status["Uid"].split()
        assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0
        assert status["NoNewPrivs"] == "1" and status["Threads"] == "1"
        assert status["Seccomp"] == "2"

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may look")
    def test_it_has_two_pipes_and_a_network_of_its_own(self, jail: Jail) -> None:
        run(jail, "return 1;")
        there = Path(f"/proc/{jail.pid}")
        files = {each.name: str(each.readlink()) for each in (there / "fd").iterdir()}
        assert sorted(files) == ["0", "1"] and all(target.startswith("pipe:") for target in files.values())
        assert (there / "ns/net").readlink() != Path("/proc/self/ns/net").readlink()
        assert (there / "net/dev").read_text().count("\n") == 3  # two lines of heads, and lo, which is down
        assert (there / "environ").read_bytes() == b"TZ=UTC0\0"


ATTEMPTS = """
import os, socket, sys
sys.path.insert(0, sys.argv[1])
import confine
confine.confine(os.getppid(), 1 << 30, 100)
said = []
for what in (
    lambda: open("/etc/passwd"), lambda: os.listdir("/"), lambda: socket.socket(), lambda: os.pipe(), os.fork,
    lambda: os.kill(os.getppid(), 0), lambda: os.execv("/bin/true", ["true"]), lambda: os.setuid(0), lambda: os.dup(0),
    lambda: os.open("/dev/null", os.O_RDONLY), lambda: socket.socketpair(), lambda: os.mkdir("/tmp/x"),
):
    try:
        said.append(repr(what()))
    except OSError as error:
        said.append("refused")
os.write(1, " ".join(said).encode())
"""


def test_code_of_its_own_could_do_nothing_there_either() -> None:
    """Whatever a fault of QuickJS might let a script do, it does it in a process that was confined so."""
    place = Path(process.__file__).parent
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ATTEMPTS, place], capture_output=True, timeout=60, check=True
    )
    assert done.stdout.split() == [b"refused"] * 12
