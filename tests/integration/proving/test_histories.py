"""A history is whole, also where the way to the API server was away for a while."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatewaycanary.kube.resources import SERVICE
from integration.engine.outages import way_to
from proving.api import NAMESPACE, Api
from proving.histories import History

pytestmark = pytest.mark.apiserver

SPACE = "histories"


def test_it_goes_on_where_it_was(api: Path, tmp_path: Path) -> None:
    """What was stored while nobody answered is recorded afterwards, in its order."""
    direct = Api.from_kubeconfig(api)
    direct.create(NAMESPACE, {"metadata": {"name": SPACE}})
    with way_to(api, tmp_path) as (way, kubeconfig):
        history = History(Api.from_kubeconfig(kubeconfig), SPACE, [SERVICE])
        made = {"metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}}
        direct.create(SERVICE, made, SPACE)
        history.wait("the first version", history.records)
        way.cut()
        for number in ("1", "2", "3"):
            direct.merge(SERVICE, "web", {"metadata": {"labels": {"number": number}}}, SPACE)
        direct.delete(SERVICE, "web", SPACE)
        way.mend()
        history.wait("the last version", lambda: history.records()[-1].deleted)
        history.close()
    labels = [each.object["metadata"].get("labels", {}) for each in history.records()]
    assert [each.get("number") for each in labels] == [None, "1", "2", "3", "3"]
    assert history.gaps == []
    direct.close()
