"""Is a TCP port free, and if not, who has it?"""

import errno
import os
import socket
from pathlib import Path


def obstacle(bind: str, port: int) -> str | None:
    """Why nobody could listen there now, in words; None when it is free."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(bind, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        return f"TB_BIND={bind} is no address of this machine"
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return f"the port is in use{_by(port)}"
            if error.errno == errno.EADDRNOTAVAIL:
                return f"TB_BIND={bind} is no address of this machine"
            return f"the port cannot be opened ({error.strerror})"
    return None


def _by(port: int) -> str:
    """` by process 123 (name)` where Linux tells us."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:  # 0A: listening
                inodes.add(f"socket:[{fields[9]}]")
    for entry in Path("/proc").glob("[0-9]*") if inodes else ():
        try:
            if any(os.readlink(link) in inodes for link in (entry / "fd").iterdir()):  # noqa: PTH115 - no path
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                return f" by process {entry.name} ({command[:80]})"
        except OSError:
            continue
    return ""
