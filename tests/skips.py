"""With CI=true a skipped test fails the run, unless it waits for something that no test machine has.

A pytest plugin (`-p tests.skips` in pyproject.toml). A test that quietly stops running is a promise nobody keeps any more.
"""

import os
import re

import pytest

# What a machine may lack: the extension, OpenSSL's datagram TLS in Python, special hardware.
EXCUSED = re.compile(r"TimescaleDB|DTLS|accelerator", re.IGNORECASE)

_inexcusable: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Each phase of each test, in the controlling process also those of the workers."""
    _note(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Whole modules may be skipped as well."""
    _note(report)


def _note(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not EXCUSED.search(reason):
        _inexcusable.append(f"{report.nodeid}: {reason}")


def _broken() -> bool:
    return os.environ.get("CI") == "true" and bool(_inexcusable) and "PYTEST_XDIST_WORKER" not in os.environ


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A green run with such a skip is red."""
    if _broken() and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names them, last of all."""
    if _broken():
        terminalreporter.section("skipped, which fails the run because CI=true", red=True, bold=True)
        for line in sorted(set(_inexcusable)):
            terminalreporter.line(line)
