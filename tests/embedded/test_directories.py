"""The lock on a data directory, and the sockets' directory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from thingsboard.embedded.account import for_servers
from thingsboard.embedded.addresses import run_dir
from thingsboard.embedded.directories import locked, prepare_run_dir
from thingsboard.embedded.errors import EmbeddedError


def test_a_second_platform_on_the_same_data_directory_is_refused(servers_dir: Path) -> None:
    taken = pytest.raises(EmbeddedError, match=rf"in use by another platform \(process {os.getpid()}\)")
    with locked(servers_dir), taken, locked(servers_dir):
        pass
    with locked(servers_dir):
        pass


def test_the_lock_of_a_killed_owner_is_free(servers_dir: Path) -> None:
    code = """
import sys, time
from pathlib import Path
from thingsboard.embedded.directories import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code, str(servers_dir)], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None and owner.stdout.readline()
        owner.kill()
        owner.wait()
        with locked(servers_dir):
            pass


def test_a_data_directory_that_cannot_be_made_is_named(servers_dir: Path) -> None:
    (servers_dir / "file").write_text("")
    with pytest.raises(EmbeddedError, match=r"TB_DATA_DIR=.*cannot be read and written"), locked(servers_dir / "file"):
        pass


def test_a_long_path_gets_a_short_private_directory_for_its_sockets(servers_dir: Path) -> None:
    long = servers_dir / ("x" * 100)
    long.mkdir()
    path = prepare_run_dir(long, for_servers([long]))
    try:
        assert path == run_dir(long) and path.parent != long
        assert path.stat().st_mode & 0o777 == 0o700
        assert prepare_run_dir(long, for_servers([long])) == path
    finally:
        path.rmdir()


def test_a_link_in_place_of_the_sockets_directory_is_refused(servers_dir: Path) -> None:
    (servers_dir / "elsewhere").mkdir()
    (servers_dir / "run").symlink_to(servers_dir / "elsewhere")
    with pytest.raises(EmbeddedError, match=r"expected a directory of our own"):
        prepare_run_dir(servers_dir, for_servers([servers_dir]))
