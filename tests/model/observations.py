"""Any observation there is: every stored status and every picture of the cluster, combined freely.

Most combinations never come about; ``decide`` has an answer to each of them all the same.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from hypothesis import strategies as st

from gatewaycanary.api.status import (
    Condition,
    Failure,
    FoundRoute,
    HelmTestResult,
    Outcome,
    Phase,
    Stage,
    State,
    Status,
    StepRecord,
    Verdict,
)
from gatewaycanary.core.observation import (
    Autoscaler,
    CanaryWorkload,
    Endpoints,
    Meta,
    Observation,
    PodFault,
    Problem,
    RouteView,
    RunPhase,
    RunView,
    Target,
)
from model.observing import true_moment
from model.specs import SIX, V1, V2, V3, spec

NOW: Final = true_moment(100_000)
REVISIONS: Final = st.sampled_from(("", "template-a-1", "template-a-2"))
TOKENS: Final = st.sampled_from(("", "a", "b", "template-a-1/5", "x" * 100))
IMAGES: Final = st.sampled_from(("", V1, V2, V3))
COUNTS: Final = st.sampled_from((0, 1, 2, 3, 7))
WEIGHTS: Final = st.sampled_from((0, 1, 5, 10, 50, 75, 100))
TEXTS: Final = st.sampled_from(("", "a word", "zwei\n", "\x00"))
MOMENTS: Final = st.integers(-2_000, 2_000).map(lambda s: NOW + timedelta(seconds=s))
MAYBE: Final[st.SearchStrategy[datetime | None]] = st.none() | MOMENTS
VERDICTS: Final = st.sampled_from(Verdict)

SPECS: Final = st.none() | st.builds(
    spec,
    st.sampled_from((V1, V2, V3)),
    weights=st.sampled_from((SIX, (100,), (50, 100), (7, 100))),
    suites=st.integers(0, 2),
    attempts=st.integers(1, 2),
    settle=st.sampled_from(("0s", "5s")),
    mode=st.sampled_from(("Automatic", "Handover")),
    replicas=st.sampled_from(("Proportional", "Full", 2)),
    suspend=st.booleans(),
    hold=st.sampled_from(({}, {100: "1m"})),
    approval=st.sampled_from(((), (100,))),
)
STATES: Final = st.builds(
    State,
    ordinal=COUNTS,
    stage=st.sampled_from(Stage),
    outcome=st.none() | st.sampled_from(Outcome),
    revision=REVISIONS,
    image=IMAGES,
    template_hash=st.sampled_from(("", "template-a", "template-b")),
    recorded=WEIGHTS,
    announced=WEIGHTS,
    entered_at=MAYBE,
    raised_at=MAYBE,
    need=COUNTS,
    short_since=MAYBE,
    baseline_replicas=COUNTS,
    suite=st.integers(0, 3),
    run=st.integers(0, 9),
    run_started_at=MAYBE,
    attempt=st.integers(0, 3),
    interruptions=st.integers(0, 4),
    suites_passed=st.booleans(),
    evidence_pending=st.booleans(),
    corrections=st.integers(0, 4),
    corrected_version=st.sampled_from(("", "1", "2")),
    stable_written=st.booleans(),
    adopted=st.booleans(),
    zero_since=MAYBE,
    suspended_at=MAYBE,
    problem_since=MAYBE,
    autoscaler_original=st.sampled_from((None, "Max", "Disabled")),
    autoscaler=st.sampled_from(("", "gateway")),
    approve_seen=TOKENS,
    abort_seen=TOKENS,
    retry_seen=TOKENS,
)
RESULTS: Final = st.lists(
    st.builds(HelmTestResult, name=st.sampled_from(("a", "b")), verdict=VERDICTS), max_size=3
).map(tuple)
STATUSES: Final = st.builds(
    Status,
    phase=st.sampled_from(Phase),
    state=STATES,
    step=st.sampled_from(("", "2/6")),
    stable_image=IMAGES,
    tests=RESULTS,
    history=st.lists(st.builds(StepRecord, weight=WEIGHTS), max_size=32).map(tuple),
    failure=st.none()
    | st.builds(
        Failure, reason=st.sampled_from(("TestFailed", "Aborted")), message=TEXTS, weight=WEIGHTS
    ),
    conditions=st.lists(
        st.builds(
            Condition,
            type=st.sampled_from(("Ready", "Stalled", "Foreign")),
            status=st.sampled_from(("True", "False")),
            reason=st.sampled_from(("StableDiverged", "Raising")),
        ),
        max_size=2,
    ).map(tuple),
)
PROBLEMS: Final = st.lists(
    st.builds(
        Problem,
        reason=st.just("PolicyGap"),
        object=TEXTS,
        message=st.sampled_from(("no", "zwei\n")),
        immediate=st.booleans(),
    ),
    max_size=2,
).map(tuple)
ROUTES: Final = st.builds(
    RouteView,
    present=st.booleans(),
    attached=st.booleans(),
    weight=st.none() | WEIGHTS,
    text=TEXTS,
    withdrawn=REVISIONS,
    zero_at_start=st.booleans(),
    version=st.sampled_from(("", "1", "2")),
    settled=st.sampled_from((None, True, False)),
    user_held=st.booleans(),
    found=st.none() | st.just(FoundRoute()),
    claimed=st.booleans(),
    left=st.booleans(),
)
RUNS: Final = st.builds(
    RunView,
    phase=st.sampled_from(RunPhase),
    releases=st.sampled_from(((), ("secret",))),
    work=st.booleans(),
    results=RESULTS,
    failed_test=TEXTS,
    reason=st.sampled_from(("", "TestFailed")),
    message=TEXTS,
    log_tail=TEXTS,
    look_again_at=MAYBE,
    objects_left=st.booleans(),
)
ANY: Final = st.builds(
    Observation,
    now=st.just(NOW),
    meta=st.builds(
        Meta,
        uid=st.just("uid"),
        namespace=st.just("default"),
        name=st.just("gateway"),
        generation=COUNTS,
        deleting=st.booleans(),
        finalizer=st.booleans(),
        approve=TOKENS,
        abort=TOKENS,
        retry=TOKENS,
    ),
    spec=SPECS,
    status=STATUSES,
    problems=PROBLEMS,
    warnings=PROBLEMS,
    target=st.none()
    | st.builds(
        Target,
        image=IMAGES,
        template_hash=st.sampled_from(("template-a", "template-b")),
        replicas=COUNTS,
        generation=COUNTS,
        rolled_out=st.booleans(),
    ),
    revision_hash=st.sampled_from(("template-a", "template-b")),
    canary=st.none()
    | st.builds(CanaryWorkload, revision=REVISIONS, replicas=COUNTS, deleting=st.booleans()),
    canary_service=st.booleans(),
    endpoints=st.builds(
        Endpoints,
        stable=COUNTS,
        canary=COUNTS,
        canary_newly_ready_at=MAYBE,
        canary_fault=st.none() | st.builds(PodFault, reason=st.just("ErrImagePull"), message=TEXTS),
        look_again_at=MAYBE,
    ),
    route=ROUTES,
    tests=RUNS,
    autoscaler=st.none()
    | st.builds(
        Autoscaler,
        name=st.sampled_from(("gateway", "other")),
        held=st.booleans(),
        select_policy=st.sampled_from((None, "Max", "Disabled")),
    ),
    route_unwritable_since=MAYBE,
)


def _coherent(observation: Observation) -> Observation:
    """Let image, template and revision fit together, so that no word of a person turns back."""
    state = replace(
        observation.status.state,
        image=V2,
        revision="template-a-1",
        template_hash="template-a",
        abort_seen=observation.meta.abort,
    )
    target = observation.target
    return replace(
        observation,
        meta=replace(observation.meta, deleting=False),
        spec=observation.spec and observation.spec.model_copy(update={"image": V2}),
        status=replace(observation.status, state=state, stable_image=V1),
        target=target
        and replace(target, image=V2 if state.stable_written else V1, template_hash="template-a"),
    )


OBSERVATIONS: Final = st.one_of(ANY, ANY.map(_coherent))
