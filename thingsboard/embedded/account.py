"""As whom the embedded servers run: PostgreSQL refuses to be root, so root hands them to an unprivileged account."""

import os
import pwd
import stat
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .errors import EmbeddedError

LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Account:
    """Who owns a server's files and how launch.py becomes that user (`uid:gid`, `namespace`, or `-` for no change)."""

    uid: int
    gid: int
    switch: str


def for_servers(paths: Iterable[Path]) -> Account:
    """The account that can reach all of `paths` (programs and data directory).

    Ourselves when we are not root. As root `postgres` or else `nobody`; where these cannot reach a path, as below
    /root, root's own id inside a user namespace. Raises EmbeddedError when nothing works.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), "-")
    entry = _unprivileged_entry()
    blocked = [path for path in paths if not _reachable(path, entry.pw_uid, entry.pw_gid)]
    if not blocked:
        return Account(entry.pw_uid, entry.pw_gid, f"{entry.pw_uid}:{entry.pw_gid}")
    if _namespaces_work():
        return Account(0, 0, "namespace")
    raise EmbeddedError(
        f"PostgreSQL refuses to run as root, and the user {entry.pw_name} cannot reach {blocked[0]}. "
        "Run as an ordinary user, or move the checkout and TB_DATA_DIR to a place that others may enter."
    )


def own(path: Path, account: Account) -> None:
    """Give a directory and all it holds to the account. Only root needs to, and only after a change of account."""
    if os.geteuid() != 0 or path.lstat().st_uid == account.uid:
        return
    for parent, directories, files in os.walk(path):
        for name in [*directories, *files]:
            os.chown(Path(parent) / name, account.uid, account.gid, follow_symlinks=False)
    os.chown(path, account.uid, account.gid, follow_symlinks=False)  # last: it marks the work as complete


def _unprivileged_entry() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedError("PostgreSQL refuses to run as root and there is no user `nobody`. Run as an ordinary user.")


def _reachable(path: Path, uid: int, gid: int) -> bool:
    """Whether a user may enter every directory above a path (it need not exist), and run it when it is a program."""
    resolved = path.resolve()
    for part in [*resolved.parents, resolved] if resolved.is_file() else resolved.parents:
        try:
            status = part.stat()
        except FileNotFoundError:
            continue
        shift = 6 if status.st_uid == uid else 3 if status.st_gid == gid else 0
        if not (stat.S_IMODE(status.st_mode) >> shift) & 1:
            return False
    return True


def _namespaces_work() -> bool:
    """Try it: containers and hardened kernels forbid user namespaces in several ways."""
    if sys.platform != "linux":
        return False
    argv = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), "15", "namespace", "/bin/sh", "-c", "exit 0"]
    return subprocess.run(argv, capture_output=True, timeout=10, check=False).returncode == 0
