"""Takes everything from a process but the pipes it holds. Runs inside the jailed process, which has no package of ours to
import from: the standard library alone.
"""

import ctypes
import os
import resource
import struct
import sys

CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWNET = 0x08000000, 0x10000000, 0x40000000  # linux/sched.h
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38  # linux/prctl.h
SIGKILL = 9
NOBODY = 65534
CAPABILITIES_V3 = 0x20080522  # linux/capability.h
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2  # linux/prctl.h, linux/seccomp.h
SECCOMP_ALLOW, SECCOMP_REFUSE, SECCOMP_KILL = 0x7FFF0000, 0x00050001, 0x80000000  # REFUSE: EPERM
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # linux/bpf_common.h: a word at an address, a jump if equal, the end

# What is left by name of the machine: its number in system calls (linux/audit.h), and those that reading, writing, memory, time
# and ending need: read, write, mmap, mprotect, munmap, brk, mremap, madvise, rt_sigaction, rt_sigprocmask, rt_sigreturn,
# setitimer, futex, clock_gettime, gettimeofday, getrusage, getrandom, exit, exit_group, and restart_syscall.
SYSTEM_CALLS = {
    "x86_64": (0xC000003E, (0, 1, 9, 10, 11, 12, 25, 28, 13, 14, 15, 38, 202, 228, 96, 98, 318, 60, 231, 219)),
    "aarch64": (
        0xC00000B7,
        (63, 64, 222, 226, 215, 214, 216, 233, 134, 135, 139, 103, 98, 113, 169, 165, 278, 93, 94, 128),
    ),
}


def confine(owner: int, address_space: int, cpu_s: int) -> list[str]:
    """Give everything up for good but what is open, `address_space` bytes and `cpu_s` seconds of a processor. Returns what this
    system does not permit. Exits where the owner (a process id) is gone.
    """
    missing: list[str] = []
    root = os.geteuid() == 0
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        # Somebody who is not root may have a network of their own in a user namespace of their own.
        if libc.unshare(CLONE_NEWNET | CLONE_NEWIPC) and libc.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC):
            missing.append("a network namespace")
    if root and not _become_nobody():
        missing.append("an unprivileged account")
    os.closerange(2, 65536)
    if sys.platform == "linux":
        _drop_capabilities(libc)
        # After the change of account, which would clear these.
        libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
        libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)
        if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            missing.append("no new privileges")
    if os.getppid() != owner:
        sys.exit(0)
    os.chdir("/")
    os.umask(0o777)
    # Nothing can be opened any more: no file, no socket, no pipe.
    for name, most in (("NOFILE", 0), ("FSIZE", 0), ("CORE", 0), ("NPROC", 0), ("AS", address_space), ("CPU", cpu_s)):
        try:
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))
        except (AttributeError, ValueError, OSError):
            missing.append(f"the limit {name}")
    if sys.platform == "linux" and not _forbid_system_calls(libc):
        missing.append("a filter of system calls")
    return missing


def _become_nobody() -> bool:
    """Not the account of PostgreSQL, which owns what is stored."""
    try:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    except OSError:
        return False
    return True


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """Those over a user namespace of its own; an account that is not root has no others."""
    header = (ctypes.c_uint32 * 2)(CAPABILITIES_V3, 0)
    libc.capset(header, (ctypes.c_uint32 * 6)())


def _forbid_system_calls(libc: ctypes.CDLL) -> bool:
    """Leave those of SYSTEM_CALLS; others fail. No new privileges are needed for it once none can be gained."""
    architecture, allowed = SYSTEM_CALLS.get(os.uname().machine, (0, ()))
    if not allowed:
        return False
    program = [
        (LOAD, 0, 0, 4),  # the machine: a process may call as another one
        (EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, SECCOMP_KILL),
        (LOAD, 0, 0, 0),  # the number of the call
        *[(EQUAL, len(allowed) - place, 0, number) for place, number in enumerate(allowed)],
        (RETURN, 0, 0, SECCOMP_REFUSE),
        (RETURN, 0, 0, SECCOMP_ALLOW),
    ]
    steps = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(steps)))
    return bool(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(head), 0, 0) == 0)
