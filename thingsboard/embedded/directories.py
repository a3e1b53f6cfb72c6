"""The data directory and the sockets' directory: made, checked, and locked against a second platform."""

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .account import Account
from .addresses import run_dir
from .errors import EmbeddedError

LOCK_NAME = "up.lock"


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Hold a data directory for ourselves alone; made when it is not there.

    The kernel drops the lock when we die, however we die. Raises EmbeddedError when another process holds it or the
    directory cannot be used.
    """
    path = data_dir / LOCK_NAME
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise EmbeddedError(f"TB_DATA_DIR={data_dir}: cannot be read and written ({error.strerror}).") from None
    with os.fdopen(descriptor, "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EmbeddedError(
                f"TB_DATA_DIR={data_dir} is in use by another platform (process {file.read().strip() or 'unknown'}). "
                "Stop that one, or give this one a TB_DATA_DIR and ports of its own."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def prepare_run_dir(data_dir: Path, account: Account) -> Path:
    """The sockets' directory, empty of strangers: mode 0700 and the servers' own. Call with the lock held.

    Raises EmbeddedError when somebody else put something in its place (it may be in the shared temporary directory).
    """
    path = run_dir(data_dir)
    try:
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise EmbeddedError(f"{path}: expected a directory of our own for sockets; remove what is there.")
        if path.exists() and path.parent != data_dir and path.stat().st_uid != os.geteuid():
            if os.geteuid() != 0:
                raise EmbeddedError(f"{path} belongs to another user; expected a directory of our own for sockets.")
            shutil.rmtree(path)  # the account's from our last run, or a trap: made anew either way
        path.mkdir(mode=0o700, exist_ok=True)
        path.chmod(0o700)
        if path.stat().st_uid != account.uid:
            os.chown(path, account.uid, account.gid)
    except OSError as error:
        raise EmbeddedError(f"{path}: cannot be made ready for sockets ({error.strerror}).") from None
    return path


def free_bytes(path: Path) -> int:
    """What is left on the disk of a path."""
    return shutil.disk_usage(path).free


def is_private(path: Path) -> bool:
    """Whether only its owner may enter."""
    return not stat.S_IMODE(path.stat().st_mode) & 0o077
