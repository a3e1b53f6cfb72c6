"""The rule of tests/skips.py, on small test runs of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from thingsboard.settings.env import BASE_DIR

# Each starts programs: a second or more of nothing but imports.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("skips")]

RUN = (sys.executable, "-m", "pytest", "-p", "tests.skips", "-p", "no:django", "-p", "no:randomly", "-p", "no:valkey")
WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])


def outcome(directory: Path, body: str, *options: str, ci: str = "true") -> tuple[int, str]:
    """Exit code and output of pytest over one module with this body."""
    (directory / "pytest.ini").write_text("[pytest]\n")
    (directory / "test_it.py").write_text(f"import pytest\n\n{body}\n")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")} | {"CI": ci}
    done = subprocess.run(
        [*RUN, *options, "-c", str(directory / "pytest.ini"), str(directory)],
        cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout


def skipped(reason: str) -> str:
    return f"@pytest.mark.skip(reason={reason!r})\ndef test_a(): pass\ndef test_b(): pass"


@WORKERS
def test_a_skip_fails_a_run_of_the_ci_and_is_named(tmp_path: Path, workers: tuple[str, ...]) -> None:
    code, output = outcome(tmp_path, skipped("mosquitto_pub is not installed"), *workers)
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "skipped, which fails the run" in output
    assert "test_it.py::test_a: Skipped: mosquitto_pub is not installed" in output


@WORKERS
def test_a_skipped_module_fails_it_too(tmp_path: Path, workers: tuple[str, ...]) -> None:
    body = 'def test_b(): pass\npytest.importorskip("no_such_module")'
    code, output = outcome(tmp_path, body, *workers)
    assert code != pytest.ExitCode.OK
    assert "could not import 'no_such_module'" in output


@pytest.mark.parametrize("reason", ["needs TimescaleDB", "no DTLS in this Python", "needs an accelerator"])
def test_what_no_test_machine_has_may_be_skipped(tmp_path: Path, reason: str) -> None:
    code, output = outcome(tmp_path, skipped(reason))
    assert (code, "1 passed, 1 skipped" in output) == (pytest.ExitCode.OK, True)


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    body = "@pytest.mark.xfail\ndef test_a(): assert False\ndef test_b(): pass"
    assert outcome(tmp_path, body)[0] == pytest.ExitCode.OK


def test_at_ones_own_desk_a_skip_is_only_shown(tmp_path: Path) -> None:
    assert outcome(tmp_path, skipped("whatever"), ci="")[0] == pytest.ExitCode.OK
