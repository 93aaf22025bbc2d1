"""The checks together: silent where all is well, exact where it is not."""

from __future__ import annotations

import pytest

from gatewaycanary.core.checks import warnings
from gatewaycanary.core.checks.images import plain
from unit.core.findings import found
from unit.core.objects import (
    cache,
    canary,
    container,
    deployment,
    parsed,
    policy,
    service,
)

BOTH = [container(), container("proxy", "proxy:1")]


EARLIER = "2025-12-31T23:59:59Z"
WEB = {"matchLabels": {"app": "web"}}


def test_nothing_wrong() -> None:
    """A Deployment and a Service that selects it are enough."""
    assert found(deployment(), service()) == ()


def test_without_objects_nothing_is_told_twice() -> None:
    """Where target and Service are missing, just that is said, and no warnings."""
    own = canary()
    meta, spec = parsed(own)
    assert [each.reason for each in found(mine=own)] == ["TargetMissing", "ServiceMissing"]
    assert warnings(meta=meta, spec=spec, lookup=cache(own)) == ()


@pytest.mark.parametrize(("length", "reasons"), [(512, []), (513, ["ImageTooLong"])])
def test_an_image_beyond_all_limits_is_told(length: int, reasons: list[str]) -> None:
    """Kubernetes bounds no image of a Deployment, and the status holds stable's."""
    other = deployment(containers=[container(image="a" * length)])
    assert [each.reason for each in found(other, service())] == reasons


def test_every_problem_can_be_acted_on() -> None:
    """Each names an object, says more than its reason, and is no contradiction within the spec."""
    everything = found(
        deployment(containers=BOTH, strategy={"type": "Recreate"}, paused=True, replicas=0),
        service(),
        service("all", selector={"tier": "front"}),
        deployment("web-canary"),
        policy("p", WEB),
        canary("other", uid="1", created=EARLIER),
    )
    assert len({each.reason for each in everything}) >= 8
    for each in everything:
        assert " " in each.object
        assert len(each.message.split()) >= 8, each
        assert not each.immediate
        assert each.sentence().startswith(f"{each.object} {each.field}".strip())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("web", "docker.io/library/web:latest", True),
        ("shop/web:1", "index.docker.io/shop/web:1", True),
        ("shop/web:1@sha256:aa", "shop/web@sha256:aa", True),
        ("host:5000/web@sha256:aa", "host:5000/web:1@sha256:aa", True),
        ("shop/web:1", "shop/web:2", False),
        ("shop/web", "other/web", False),
        ("host:5000/web", "web", False),
    ],
)
def test_spellings(one: str, other: str, *, same: bool) -> None:
    """Two spellings of one image are known as such."""
    assert (plain(one) == plain(other)) is same


def test_same_image_is_told() -> None:
    """A rollout of what stable runs already, spelled otherwise, is told."""
    own = canary(image="docker.io/shop/web:1")
    meta, spec = parsed(own)
    told = warnings(meta=meta, spec=spec, lookup=cache(own, deployment(), service()))
    assert [(each.reason, each.object) for each in told] == [("SameImage", "Deployment web")]
