"""A plan as a value: what it says of images, capacity and tests that miss the canary."""

from __future__ import annotations

from typing import Any

import pytest

from gatewaycanary.api.spec import GatewayCanarySpec, parse
from gatewaycanary.core.observation import Problem, Target
from gatewaycanary.core.plan import HookPlan, Plan, Surroundings, plan, unredirected

STABLE = Target(image="app:1", template_hash="h", replicas=8, generation=1, rolled_out=True)


def spec(**more: Any) -> GatewayCanarySpec:
    """Make a spec."""
    base = {
        "targetRef": {"name": "gateway"},
        "image": "app:2",
        "traffic": {"nginx": {"ingress": "gateway"}},
    }
    return parse({**base, **more})


def planned(known: Surroundings | None = None, **more: Any) -> Plan:
    """Plan a spec."""
    return plan(spec(**more), name="gateway", known=known or Surroundings(target=STABLE))


def test_both_images_are_named() -> None:
    """The first line says which image would follow which, and by which route."""
    assert planned().headline == (
        "GatewayCanary gateway: Deployment gateway app:1 -> app:2, by nginx route gateway"
    )


@pytest.mark.parametrize(
    ("replicas", "needs"),
    [
        ("Proportional", [2, 2, 2, 4, 6, 8]),
        ("Full", [8, 8, 8, 8, 8, 8]),
        (3, [3, 3, 3, 3, 3, 3]),
    ],
)
def test_each_step_says_how_many_pods_it_needs(replicas: str | int, needs: list[int]) -> None:
    """The numbers are those that the rollout itself goes by."""
    steps = planned(canary={"replicas": replicas}).steps[1:7]
    assert [int(step.split(": ")[1].split()[0]) for step in steps] == needs


def test_stable_with_the_image_means_nothing_to_do() -> None:
    """No step is planned where stable runs the image already."""
    assert planned(image="app:1").steps == ("nothing: stable runs this image already",)


def test_a_tag_goes_onto_the_repository() -> None:
    """With imageTag the planned image is stable's repository with that tag."""
    made = plan(
        parse(
            {
                "targetRef": {"name": "gateway"},
                "imageTag": "7",
                "traffic": {"nginx": {"ingress": "gateway"}},
            }
        ),
        name="gateway",
        known=Surroundings(target=STABLE),
    )
    assert "app:1 -> app:7" in made.headline


def test_handover_writes_nothing_to_stable() -> None:
    """Under Handover the plan waits for somebody else's write."""
    assert "wait until somebody else gives" in planned(promotion={"mode": "Handover"}).steps[-2]


def test_suspended_waits_first() -> None:
    """A suspended rollout says so before anything else."""
    assert planned(suspend=True).steps[0].startswith("wait: suspended")


def test_problems_refuse_and_warnings_are_told() -> None:
    """A problem makes the plan not run; a warning does not."""
    problem = Problem(reason="ServiceMissing", object="Service gateway", message="does not exist")
    warning = Problem(reason="NoBudget", object="PodDisruptionBudget x", message="covers less")
    refused = planned(Surroundings(target=STABLE, problems=(problem,), warnings=(warning,)))
    assert not refused.runs
    assert refused.refusals == ("ServiceMissing: Service gateway: does not exist",)
    assert "NoBudget: PodDisruptionBudget x: covers less" in refused.notes
    assert planned(Surroundings(target=STABLE, warnings=(warning,))).runs


def test_without_tests_it_says_what_gates() -> None:
    """A release that nothing tests is not a surprise."""
    assert any("no tests are named" in note for note in planned().notes)


def hook(**container: Any) -> HookPlan:
    """Make a test pod."""
    return HookPlan(name="smoke", manifest={"spec": {"containers": [container]}})


@pytest.mark.parametrize(
    ("test", "ways"),
    [
        (hook(command=["curl", "http://gateway/"]), 0),
        (hook(command=["sh", "-c", "curl $GATEWAY_SERVICE_HOST:$GATEWAY_SERVICE_PORT"]), 2),
        (hook(args=["https://shop.example/healthz"]), 1),
        (hook(env=[{"name": "URL", "value": "https://shop.example"}]), 1),
        (hook(args=["https://my-shop.example/"]), 0),
        (hook(args=["https://shop.example-other/"]), 0),
        (hook(), 0),
    ],
)
def test_ways_round_the_redirection_are_found(test: HookPlan, ways: int) -> None:
    """Service variables and the route's own hosts lead past the canary's host aliases."""
    assert len(unredirected(test, hosts=("shop.example",))) == ways


@pytest.mark.parametrize(
    ("target", "told"), [("canary", True), ("stable", False), ("gateway", False)]
)
def test_only_tests_aimed_at_the_canary_can_miss_it(target: str, told: bool) -> None:
    """A test that is meant to go through the gateway is right to do so."""
    known = Surroundings(
        target=STABLE, hooks=((hook(args=["https://shop.example/"]),),), hosts=("shop.example",)
    )
    made = planned(known, tests=[{"helm": {"release": "soma"}, "target": target}])
    assert any("test smoke is not aimed at the canary" in note for note in made.notes) is told


def test_lines_number_the_steps() -> None:
    """A terminal gets the headline, numbered steps and the notes."""
    lines = planned().lines()
    assert lines[1].startswith("   1. prepare:")
    assert "to be known:" in lines
