"""One command at a time, with words about who is in the way."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devcluster.errors import ClusterError
from devcluster.locks import held

_HOLDER = """
import sys
from pathlib import Path
from devcluster.locks import held
with held(Path(sys.argv[1]), "cluster-up"):
    print("held", flush=True)
    sys.stdin.read()
"""


def _hold(lock: Path) -> subprocess.Popen[str]:
    infra = Path(__file__).parents[2] / "infra"
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(lock)],
        env={**os.environ, "PYTHONPATH": str(infra)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_the_holder_is_named_by_pid_and_checkout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who waits learns who holds the lock, and gives up in the end."""
    with _hold(tmp_path / "lock") as holder:
        with (
            pytest.raises(ClusterError, match=rf"still held by pid {holder.pid} "),
            held(tmp_path / "lock", "cluster-down", patience=0.3),
        ):
            pass
        holder.kill()
    told = capsys.readouterr().err
    assert f"held by pid {holder.pid} (cluster-up from {Path(__file__).parents[2]}, for" in told


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    """The kernel gives the lock back when its holder dies."""
    with _hold(tmp_path / "lock") as holder:
        holder.kill()
    with held(tmp_path / "lock", "cluster-up", patience=0.0):
        pass


def test_a_removed_lock_file_protects_nobody(tmp_path: Path) -> None:
    """The holder may remove the file; the next one locks a file of its own."""
    lock = tmp_path / "lock"
    with held(lock, "cluster-down"):
        lock.unlink()
        with held(lock, "cluster-up", patience=0.0):
            assert lock.exists()
