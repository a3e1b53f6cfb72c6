"""A small platform of stand-ins, as a script that a test can kill: real children, real signals, no Django.

    python -m tests.supervisor.standins <directory> [postgres]

The table is data, so small programs take the places of the platform's processes.
"""

import os
import sys
from pathlib import Path

from thingsboard.embedded.postgres import Postgres
from thingsboard.supervisor.output import Output
from thingsboard.supervisor.processes import Process, Stage
from thingsboard.supervisor.run import Supervisor

# Writes its process id, starts a child of its own, and ignores SIGTERM when asked to.
PROGRAM = """
import os, signal, subprocess, sys, time
name, *options = sys.argv[1:]
if "stubborn" in options:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
def leave(*_):
    # Nearly what a pipe holds, so that who repeats our last words is not done when we are gone.
    os.write(1, b"packing\\n" * 5000 + b"leaving\\n")  # print is not reentrant, and the signal may come during "hello"
    os._exit(0)
if "stubborn" not in options:
    signal.signal(signal.SIGTERM, leave)
grandchild = subprocess.Popen(["sleep", "300"])
with open(f"{name}.pids", "a") as file:
    file.write(f"{os.getpid()} {grandchild.pid}\\n")
print("hello", flush=True)
while True:
    time.sleep(0.1)
"""


def stand_in(name: str, stage: Stage, *options: str) -> Process:
    """A process of the table."""
    return Process(name, ("python", "-c", PROGRAM, name, *options), stage)


def main() -> None:
    """Run until stopped."""
    directory = Path(sys.argv[1])
    supervisor = Supervisor(
        servers=[Postgres(directory, durable=False)] if "postgres" in sys.argv else [],
        setup=[("python", "-c", "print('set up')")],
        processes=[
            stand_in("work", Stage.WORKERS),
            stand_in("door", Stage.DOORS, *(["stubborn"] if "stubborn" in sys.argv else [])),
            *([Process("weak", ("python", "-c", "exit(3)"), Stage.WORKERS)] if "weak" in sys.argv else []),
        ],
        directory=directory,
        environment=os.environ,
        output=Output(),
    )
    sys.exit(supervisor.run())


if __name__ == "__main__":
    main()
