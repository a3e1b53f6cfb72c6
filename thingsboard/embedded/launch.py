"""Becomes another program, as another user, that is signalled when its owner dies. Runs as a script of its own.

    python -I -S launch.py <owner's pid> <signal> <uid:gid | namespace | -> <program> <arguments>...

A script rather than a `preexec_fn`: that one runs Python between fork and exec, which can deadlock where there are
threads. Standard library only, and no import of ours: it starts in 15 ms.
"""

import ctypes
import os
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
CLONE_NEWUSER = 0x10000000  # linux/sched.h
INSIDE_ID = 1000  # the id that root has inside its namespace; any but 0 serves


def become_user(uid: int, gid: int) -> None:
    """Give up root for good."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def enter_namespace() -> None:
    """Stay the owner of root's files without being root: PostgreSQL sees another id, and all capabilities go at exec.

    For installations below a directory that only root may enter, such as /root (user_namespaces(7)).
    """
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "user namespaces are not available")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{INSIDE_ID} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{INSIDE_ID} {gid} 1")


def die_with(owner: int, signal_number: int) -> None:
    """Ask Linux for a signal when the owner dies. After the change of user, which would clear the request."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != owner:
        sys.exit(f"the owner, process {owner}, is gone")


def main() -> None:
    """Read the arguments, change over, exec."""
    owner, signal_number, account, *program = sys.argv[1:]
    try:
        if account == "namespace":
            enter_namespace()
        elif account != "-":
            uid, gid = account.split(":")
            become_user(int(uid), int(gid))
        die_with(int(owner), int(signal_number))
        os.execv(program[0], program)  # noqa: S606 - no shell is the point
    except OSError as error:
        sys.exit(f"{program[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
