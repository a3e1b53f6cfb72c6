"""The watch over the database's disk."""

import logging
import os
from pathlib import Path

import pytest

from thingsboard.kernel.disk import DiskWatch


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="thingsboard.kernel.disk")


def free(path: Path) -> int:
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


def test_it_says_so_once_when_room_runs_out_and_once_when_there_is_enough_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watch = DiskWatch(tmp_path, 1, look_seconds=0)
    assert watch.shortage() is None
    watch.min_free = 2 * free(tmp_path)
    for _ in range(3):
        sentence = watch.shortage()
        assert sentence is not None and "MiB are free" in sentence and str(tmp_path) not in sentence
    watch.min_free = 1
    assert watch.shortage() is None and watch.shortage() is None
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
    assert all(str(tmp_path) in record.message for record in caplog.records)


def test_it_is_over_only_when_there_is_a_tenth_more_than_the_threshold(tmp_path: Path) -> None:
    watch = DiskWatch(tmp_path, 2 * free(tmp_path), look_seconds=0)
    assert watch.shortage()
    watch.min_free = int(free(tmp_path) / 1.05)
    assert watch.shortage()
    watch.min_free = int(free(tmp_path) / 1.2)
    assert watch.shortage() is None
    watch.min_free = int(free(tmp_path) / 1.05)
    assert watch.shortage() is None


def test_it_looks_at_the_disk_at_most_once_in_a_while(tmp_path: Path) -> None:
    watch = DiskWatch(tmp_path, 1, look_seconds=3600)
    assert watch.shortage() is None
    watch.min_free = 2 * free(tmp_path)
    assert watch.shortage() is None


def test_what_is_not_watched_never_runs_out(tmp_path: Path) -> None:
    assert DiskWatch(None, 2**62).shortage() is None
    assert DiskWatch(tmp_path, 0).shortage() is None


def test_a_path_that_is_not_there_is_said_once_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watch = DiskWatch(tmp_path / "nowhere", 1, look_seconds=0)
    assert watch.shortage() is None and watch.shortage() is None
    assert watch.trouble == "No such file or directory"
    assert len(caplog.records) == 1 and "TB_DISK_PATH" in caplog.records[0].message
