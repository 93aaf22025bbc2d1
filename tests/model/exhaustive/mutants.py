"""Bugs sown into core and engine, each a plausible slip; the model must find every one.

``rule``: the rule that must name the breach, so that a bug is not found by chance for another
reason. A patch whose old text no longer stands there exactly once fails `make mutants`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Patch:
    """One text in a file of the operator, and what stands there instead."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """One bug in words, the rule that it breaks, and how it is sown."""

    words: str
    rule: str
    patches: tuple[Patch, ...]


def _mutant(words: str, rule: str, file: str, old: str, new: str) -> Mutant:
    return Mutant(words, rule, (Patch(file, old, new),))


ENGINE: Final = (
    _mutant(
        "the status is written after the effects",
        "status_before_effects",
        "engine/reconciler.py",
        "        await self._record(observed, decision)\n"
        "        await self._perform(observed, decision, failed=failed)\n",
        "        await self._perform(observed, decision, failed=failed)\n"
        "        await self._record(observed, decision)\n",
    ),
    _mutant(
        "the status is written before the revert",
        "traffic_before_status",
        "engine/reconciler.py",
        "        failed = await self._revert(observed, decision)\n"
        "        await self._record(observed, decision)\n",
        "        await self._record(observed, decision)\n"
        "        failed = await self._revert(observed, decision)\n",
    ),
    _mutant(
        "a revert that fails leaves the status unsaid",
        "nothing_left_unsaid",
        "engine/reconciler.py",
        "        except KubeError as error:\n            return error\n        if decision.urgent",
        "        except KubeError as error:\n            raise\n        if decision.urgent",
    ),
    _mutant(
        "a request that failed is not tried again",
        "a_place_to_rest",
        "engine/reconciler.py",
        "        if failed is not None:\n            raise failed\n",
        "",
    ),
    _mutant(
        "the look that a decision asks for is forgotten",
        "a_place_to_rest",
        "engine/reconciler.py",
        "        if decision.requeue_after is not None:\n",
        "        if decision.requeue_after is not None and decision.urgent:\n",
    ),
    _mutant(
        "nobody looks again after the tests were read",
        "a_place_to_rest",
        "engine/reconciler.py",
        "            if again:\n                self._queue.add(observed.key, Priority.ACTIVE)\n",
        "",
    ),
    _mutant(
        "only the first effect of a decision is performed",
        "nothing_left_unsaid",
        "engine/reconciler.py",
        "            await self._act(observed, decision.actions)\n",
        "            await self._act(observed, decision.actions[:1])\n",
    ),
)

CORE: Final = (
    _mutant(
        "a revert waits for all of stable",
        "traffic_first",
        "core/rollback.py",
        "    if not state.stable_written or endpoints.canary == 0:\n        return True\n",
        "    if endpoints.canary == 0:\n        return True\n",
    ),
    _mutant(
        "a revert goes to an empty stable side",
        "never_to_an_empty_side",
        "core/rollback.py",
        "    if endpoints.stable == 0:\n        return False\n    if not state",
        "    if not state",
    ),
    _mutant(
        "the proven side is forgotten once stable was written",
        "proven_side_until_stable_recovers",
        "core/rollback.py",
        "    if not state.stable_written or endpoints.canary == 0:\n",
        "    if True:\n",
    ),
    _mutant(
        "stable's old image is not given back",
        "stable_as_found_after_a_failure",
        "core/rollback.py",
        "    return (SetStableImage(image=old),) if old and old != state.image else ()\n",
        "    return ()\n",
    ),
    _mutant(
        "the revert's write carries no mark",
        "marks_what_failed",
        "core/rollback.py",
        "WithdrawWeight(mark=state.revision)",
        'WithdrawWeight(mark="")',
    ),
    _mutant(
        "the mark of a revert is not heeded",
        "never_up_after_a_failure",
        "core/reversals.py",
        "    return state.announced > 0 and observation.route.withdrawn == state.revision\n",
        "    return False\n",
    ),
    Mutant(
        "the weight is taken from the live route",
        "gates_before_weight",
        (
            Patch(
                "core/routes.py",
                "return route.attached and route.weight == state.announced",
                "return route.attached and bool(route.weight)",
            ),
            Patch(
                "core/phases/ramping.py",
                "        recorded=state.announced,\n",
                "        recorded=observation.route.weight or 0,\n",
            ),
        ),
    ),
    _mutant(
        "weight 0 goes out during promotion",
        "keeps_its_weight",
        "core/phases/promoting.py",
        "actions=(SetStableImage(image=state.image),)",
        "actions=(WithdrawWeight(), SetStableImage(image=state.image))",
    ),
    _mutant(
        "stable is called promoted before it is rolled out",
        "promoted_only_when_rolled_out",
        "core/phases/promoting.py",
        "        and target.rolled_out\n"
        "        and target.replicas >= state.baseline_replicas\n"
        "        and observation.endpoints.stable >= max(1, state.baseline_replicas)\n",
        "",
    ),
    _mutant(
        "stable is written while suspended",
        "stable_image_only_when_proven",
        "core/phases/promoting.py",
        "    if spec.suspend:\n",
        "    if False:\n",
    ),
    _mutant(
        "an approval counts twice",
        "gates_before_weight",
        "core/gates.py",
        "    if given == wanted and given != state.approve_seen:\n",
        "    if given:\n",
    ),
    _mutant(
        "tests are not awaited",
        "gates_before_weight",
        "core/gates.py",
        "    if gate is suites.Gate.WAITING:\n",
        "    if False:\n",
    ),
    _mutant(
        "the settle time is not waited for",
        "gates_before_weight",
        "core/gates.py",
        "    if not told and observation.now >= due:\n",
        "    if not told:\n",
    ),
    _mutant(
        "a verdict is given while neither side serves",
        "no_verdict_while_nobody_serves",
        "core/readiness.py",
        "    return endpoints.canary == 0 and endpoints.stable == 0\n",
        "    return False\n",
    ),
    _mutant(
        "the canary is made before the finalizer stands",
        "announced_before_written",
        "core/workload.py",
        "    if not observation.meta.finalizer:\n        return (AddFinalizer(),)\n    canary =",
        "    canary =",
    ),
    _mutant(
        "a weight is raised without endpoints for it",
        "enough_endpoints_for_a_raise",
        "core/raising.py",
        "        and readiness.holds(endpoints, needed)\n",
        "",
    ),
    _mutant(
        "a weight is raised while suspended",
        "enough_endpoints_for_a_raise",
        "core/raising.py",
        "        and not suspended\n",
        "",
    ),
    _mutant(
        "the canary's pods go together with their traffic",
        "pods_outlive_their_traffic",
        "core/phases/finalizing.py",
        "    if observation.now >= until:\n        return None\n",
        "    return None\n",
    ),
    _mutant(
        "a failed test is deleted before its log is kept",
        "evidence_before_deletion",
        "core/phases/finalizing.py",
        "    kept = _keep_evidence(observation, state) or _pods_stay(observation, state)\n",
        "    kept = _pods_stay(observation, state)\n",
    ),
    _mutant(
        "the route is not restored",
        "route_as_found_at_rest",
        "core/phases/finalizing.py",
        "    if observation.route.left:\n",
        "    if False:\n",
    ),
    _mutant(
        "a failed image starts again by itself",
        "starts_only_when_asked",
        "core/phases/resting.py",
        "    if desired == state.image and not retried:\n",
        "    if False:\n",
    ),
    _mutant(
        "a deletion in mid-ramp is not seen",
        "a_place_to_rest",
        "core/reversals.py",
        "        _deleted(observation, state)\n        or _aborted",
        "        _aborted",
    ),
    _mutant(
        "a canary that lost its pods keeps its traffic",
        "collapses_at_once",
        "core/reversals.py",
        "    return _collapsed(observation, state) or _fault",
        "    return _fault",
    ),
    _mutant(
        "nobody looks again at the progress deadline",
        "a_place_to_rest",
        "core/phases/ramping.py",
        "        look_again_at=readiness.deadline(\n"
        "            state, observation.endpoints, limits.limits(spec).progress\n"
        "        ),\n",
        "",
    ),
)

MUTANTS: Final = ENGINE + CORE
