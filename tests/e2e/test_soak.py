"""Many canaries through one operator; `make soak` does 2,000 rollouts and judges the memory too."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from devcluster import Cluster
from proving.api import Api
from soak import reports, runs
from soak.lanes import Course

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]


def test_nothing_is_left_behind(
    cluster: Cluster, api: Api, credentials: Path, tmp_path: Path
) -> None:
    """Twenty rollouts, good and bad, of canaries that come and go: no task, object, series left."""
    if cluster.kind != "source":
        pytest.skip(f"a cluster of kind {cluster.kind} has no fake nodes")
    course = Course(wanted=20, until=time.monotonic() + 120)
    with runs.staged(cluster, api, credentials=credentials, folder=tmp_path) as soak:
        result = soak.run(course, lanes=10)
    assert course.done == course.wanted
    assert not reports.leaks(result)
