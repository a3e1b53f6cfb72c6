"""Which processes work in a directory, as every process of a PostgreSQL server does in its cluster's."""

import sys
from pathlib import Path


def processes_in(directory: Path) -> list[int] | None:
    """The ids of the processes whose working directory it is; None where that cannot be known (no /proc)."""
    if sys.platform != "linux":
        return None
    wanted = str(directory.resolve())
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if str((entry / "cwd").readlink()) == wanted:
                    found.append(int(entry.name))
            except OSError:  # another user's, or gone
                continue
    return sorted(found)
