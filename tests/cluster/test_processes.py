"""A process is known by pid and start time, and found again by its record."""

import os
import signal
from pathlib import Path

import pytest

from devcluster import processes
from devcluster.processes import Process


def _spawn(tmp_path: Path, *argv: str) -> Process:
    return processes.spawn(argv, {}, tmp_path / "run" / "it", tmp_path / "it.log", "digest")


def test_stat_with_spaces_and_parentheses_in_the_name_is_read() -> None:
    """The name in /proc/PID/stat may hold anything, closing parentheses too."""
    line = "42 (a) b (c) S " + " ".join(str(n) for n in range(4, 53))
    assert processes.parse_stat(line) == (42, "S", 22)


def test_a_spawned_process_is_recorded_and_outlives_its_starter(tmp_path: Path) -> None:
    """The record names the process, which is no child of ours."""
    process = _spawn(tmp_path, "sleep", "60")
    try:
        assert processes.recorded(tmp_path / "run" / "it") == process
        assert process.alive()
        assert process.digest == "digest"
        assert 0 <= process.uptime() < 60
        with pytest.raises(ChildProcessError):
            os.waitpid(process.pid, os.WNOHANG)
    finally:
        process.stop()
    assert not process.alive()


def test_output_goes_to_the_log(tmp_path: Path) -> None:
    """Both streams end up in the log, after what was there."""
    (tmp_path / "it.log").write_text("before\n")
    process = _spawn(tmp_path, "sh", "-c", "echo out; echo err >&2")
    assert process.wait(10)
    assert (tmp_path / "it.log").read_text() == "before\nout\nerr\n"


def test_another_process_of_the_same_pid_is_not_ours() -> None:
    """A reused pid has another start time: it is neither alive nor signalled."""
    mine = processes.observed(os.getpid())
    assert mine is not None
    reused = Process(mine.pid, mine.started + 1)
    assert mine.alive()
    assert not reused.alive()
    reused.signal(signal.SIGKILL)
    assert reused.wait(0)


def test_a_process_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    """Grace ends: SIGKILL follows SIGTERM."""
    process = _spawn(tmp_path, "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 60; done")
    while "ready" not in (tmp_path / "it.log").read_text():
        assert process.alive()
    process.stop(grace=0.1)
    assert not process.alive()


def test_a_suspended_process_is_ended(tmp_path: Path) -> None:
    """A process stopped by SIGSTOP still ends when asked to."""
    process = _spawn(tmp_path, "sleep", "60")
    process.signal(signal.SIGSTOP)
    process.stop()
    assert not process.alive()


@pytest.mark.parametrize("text", ["", "1 (x) S", "one line\nand another", "a\nb\nc"])
def test_an_unreadable_record_is_no_record(tmp_path: Path, text: str) -> None:
    """Half-written records are as good as none."""
    (tmp_path / "it").write_text(text)
    assert processes.recorded(tmp_path / "it") is None


def test_the_digest_tells_arguments_environment_and_inputs_apart() -> None:
    """Whatever a program is started with changes the digest, and nothing else does."""
    base = processes.digest_of(["a", "b"], {"K": "v"}, b"file")
    assert processes.digest_of(["a", "b"], {"K": "v"}, b"file") == base
    others = {
        processes.digest_of(["a", "c"], {"K": "v"}, b"file"),
        processes.digest_of(["a b"], {"K": "v"}, b"file"),
        processes.digest_of(["a", "b"], {"K": "w"}, b"file"),
        processes.digest_of(["a", "b"], {"K": "v"}, b"other"),
    }
    assert len(others) == 4
    assert base not in others
