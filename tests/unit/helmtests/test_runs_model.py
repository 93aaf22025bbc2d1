"""Whatever is crashed, lost or in the way, a run does what Helm would have done, once."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gatewaycanary.api.status import Verdict
from gatewaycanary.core.naming import RUN_LABEL
from gatewaycanary.core.observation import RunPhase
from gatewaycanary.helmtests.memory import RunMemory
from gatewaycanary.helmtests.release import Hook, order
from gatewaycanary.helmtests.render import object_name
from gatewaycanary.helmtests.verdict import has_ended
from unit.helmtests.cluster import Namespace, Session
from unit.helmtests.objects import KEY, hook

POLICIES = st.lists(
    st.sampled_from(["before-hook-creation", "hook-succeeded", "hook-failed"]),
    unique=True,
    min_size=1,
)
HOOKS = st.lists(
    st.builds(
        hook,
        kind=st.sampled_from(["Pod", "Job", "ConfigMap", "Secret"]),
        name=st.sampled_from(["a", "b", "c", "d"]),
        weight=st.integers(-1, 1),
        policies=POLICIES,
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda each: (each.kind, each.name),
).map(lambda found: tuple(sorted(found, key=order)))
CODES = st.fixed_dictionaries({name: st.sampled_from([0, 0, 0, 1]) for name in "abcd"})


def helm(hooks: tuple[Hook, ...], codes: dict[str, int]) -> tuple[list[Hook], bool]:
    """Model Helm: create each hook in order until one fails."""
    created: list[Hook] = []
    for each in hooks:
        created.append(each)
        if each.is_test and codes[each.name]:
            return created, False
    return created, True


@settings(deadline=None, max_examples=200)
@given(hooks=HOOKS, codes=CODES, crashes=st.lists(st.integers(0, 12), max_size=4))
def test_same_objects_order_and_verdict_as_helm(
    hooks: tuple[Hook, ...], codes: dict[str, int], crashes: list[int]
) -> None:
    """Crashes at any points change nothing: what Helm creates is created, once, in its order."""
    namespace = Namespace()
    process = Session(namespace=namespace, hooks=hooks)
    plan = process.step()
    for turn in range(60):
        if turn in crashes:
            process = Session(namespace=namespace, hooks=hooks)
        unfinished = [o for o in namespace.watched(KEY.uid).values() if not has_ended(o)]
        assert len(unfinished) <= 1, "one test at a time"
        if plan.effect is None and plan.view.phase is not RunPhase.RUNNING:
            break
        if plan.effect is None:
            namespace.finish(code=codes[plan.view.results[-1].name])
        plan = process.step()
    expected, passed = helm(hooks, codes)
    assert [(kind, name) for verb, kind, name in namespace.told if verb == "create"] == [
        (each.kind, object_name(each, KEY)) for each in expected
    ]
    assert [told for told in namespace.told if told[0] == "delete"] == []
    assert plan.view.phase is (RunPhase.PASSED if passed else RunPhase.FAILED)
    tests = [each.name for each in expected if each.is_test]
    assert [result.name for result in plan.view.results] == tests


@settings(deadline=None, max_examples=100)
@given(hooks=HOOKS, codes=CODES)
def test_same_deletions_as_helm(hooks: tuple[Hook, ...], codes: dict[str, int]) -> None:
    """After the recorded verdict exactly what Helm's policies delete goes, in Helm's order."""
    process = Session(namespace=Namespace(), hooks=hooks)
    process.run(codes)
    created, passed = helm(hooks, codes)
    recorded = Verdict.PASSED if passed else Verdict.FAILED
    process.namespace.told.clear()
    process.drive(recorded=recorded)
    if passed:
        expected = [each for each in reversed(created) if "hook-succeeded" in each.delete_policies]
    else:
        failed = created[-1]
        expected = [failed] if "hook-failed" in failed.delete_policies else []
        expected += [each for each in created[:-1] if "hook-succeeded" in each.delete_policies]
    assert [(kind, name) for _, kind, name in process.namespace.told] == [
        (each.kind, object_name(each, KEY)) for each in expected
    ]


@settings(deadline=None, max_examples=100)
@given(hooks=HOOKS, forget=st.booleans(), weights=st.lists(st.just(25), min_size=2, max_size=3))
def test_each_step_is_a_run_of_its_own(
    hooks: tuple[Hook, ...], forget: bool, weights: list[int]
) -> None:
    """Each run has all tests anew, and every object that stays says which run it is of."""
    namespace = Namespace()
    process = Session(namespace=namespace, hooks=hooks)
    tests = [each for each in hooks if each.is_test]
    for number, _ in enumerate(weights):
        process.key = replace(KEY, weight=25 + number)
        if forget:
            process.memory = RunMemory()
        assert process.run().view.phase is RunPhase.PASSED
        for each in tests:
            made = namespace.objects[each.kind, object_name(each, process.key)]
            assert made["metadata"]["labels"][RUN_LABEL] == process.key.label
    creations = [told for told in namespace.told if told[0] == "create" and told[1] in "PodJob"]
    assert len(creations) == len(set(creations)) == len(tests) * len(weights)


@settings(deadline=None, max_examples=100)
@given(hooks=HOOKS, unfinished=st.booleans())
def test_a_new_run_waits_for_the_old_one(hooks: tuple[Hook, ...], unfinished: bool) -> None:
    """No test of a run is created while one of an earlier run has not ended."""
    namespace = Namespace()
    process = Session(namespace=namespace, hooks=hooks)
    process.drive()
    if not unfinished:
        namespace.finish()
    process.key = replace(KEY, run=2)
    process.drive()
    running = [o for o in namespace.watched(KEY.uid).values() if not has_ended(o)]
    assert all(o["metadata"]["labels"][RUN_LABEL] == process.key.label for o in running)
