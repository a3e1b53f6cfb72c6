"""All benchmarks as one table of ratios: `make bench`, or `python -m benchmarks [--seconds S] [--rounds N] [NAME ...]`.

Starts a platform of its own on free ports of the loopback with a temporary data directory, and removes it afterwards.
"""

import argparse
import importlib
import os
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table

from .ground import Ground, Row, platform

# A benchmark is a module with `run(ground)` that yields rows; `store` stands alone and returns (what, rows/CPU-s, ratio).
BENCHMARKS = ("idle", "connects", "live", "store", "ingest", "engine", "rules", "script", "looks", "neighbour")


def rows_of(name: str, ground: Ground) -> Iterable[Row]:
    """The rows of one benchmark."""
    module: Any = importlib.import_module(f"benchmarks.{name}")
    if name == "store":
        return [Row(what, rate, "rows/CPU-s", ratio) for what, rate, ratio in module.run()]
    rows: Iterable[Row] = module.run(ground)
    return rows


def main() -> None:
    """Run the named benchmarks, or all; print each row as it comes and the table at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="of load a round (default 20; the promise is for 60)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="best of so many (default 3)")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark is called {unknown[0]!r}; there are {', '.join(BENCHMARKS)}.")
    console = Console()
    table = Table(title="Benchmarks")
    for column in ("what", "figure", "unit", "ratio", ""):
        table.add_column(column, justify="right" if column in ("figure", "ratio") else "left")
    with platform(arguments.seconds, arguments.rounds) as ground:
        _use_django(ground)
        for name in arguments.names or BENCHMARKS:
            for row in rows_of(name, ground):
                ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
                cells = (row.what, f"{row.value:,.1f}", row.unit, ratio, row.note)
                console.print(*cells, sep="  ", markup=False, highlight=False, soft_wrap=True)
                table.add_row(*cells)
    console.print(table)


def _use_django(ground: Ground) -> None:
    """Point this process's settings at the platform, for benchmarks that call the store themselves."""
    os.environ.update(ground.environment)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "thingsboard.settings")
    import django

    django.setup()
