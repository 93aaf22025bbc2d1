"""What a running operator must show after whatever was done to it."""

from __future__ import annotations

from pathlib import Path

from integration.engine.replicas import Replica

CALM = ("ConflictError", "NotFoundError", "AlreadyExistsError")
"""Errors that only mean: look again."""


def peak(replica: Replica) -> float:
    """Give the most memory that the operator has had so far, in MiB."""
    lines = Path(f"/proc/{replica.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def errors(replica: Replica) -> dict[str, float]:
    """Give the looks that ended in an error, by the error's class."""
    prefix = "gatewaycanary_errors_total"
    return {name: count for name, count in replica.metrics().items() if name.startswith(prefix)}


def unharmed(replica: Replica, *calm: str) -> None:
    """Check that it runs, met no bug, and could post all that it had to say."""
    assert replica.process.poll() is None, replica.said()
    said = replica.said()
    assert "Traceback" not in said, said[said.index("Traceback") - 1000 :][:4000]
    assert "was not posted" not in said, said[said.index("was not posted") - 500 :][:1500]
    wild = {
        name: count
        for name, count in errors(replica).items()
        if not any(f'"{kind}"' in name for kind in (*CALM, *calm))
    }
    assert not wild, f"{wild}\n{replica.said()}"
