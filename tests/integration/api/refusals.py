"""Specs that must be refused, each one valid spec with one thing changed, and the exact words.

The causes are what the API server answers; a message of ours follows "Invalid value: " there.
"""

from __future__ import annotations

from typing import Any

from integration.api.cases import DIGEST, GONE, Case, Causes, Object, istio, steps, suite

UNCHECKED = (
    "<nil>",
    (
        "Invalid value: null: some validation rules were not checked because the object was "
        "invalid; correct the existing errors to complete validation"
    ),
)
"""What the API server adds to a wrong shape: CEL rules see only what has the right one."""

_LABEL = "must be lower-case letters, digits and '-', with a letter or digit at both ends"
_NAME = "must be lower-case letters, digits, '-' and '.', with a letter or digit at both ends"
_TIME = "must be a duration in whole h, m, s and ms, such as 30s, 2m or 1h30m"
_ONE_IMAGE = "set exactly one of image and imageTag"
_REFERENCE = "must be an image reference, such as registry.example/app:2.0.0 or app@sha256:<digest>"
_TAG = "must be a tag alone, such as 2.0.0; a repository or a digest goes into image"
_DOTTED = (
    "a Service's name has no '.': set service.stable and service.canary, "
    "which cannot be called as the target"
)
_TWO_SERVICES = (
    "service.stable and service.canary must be two different Services; "
    "they default to the target's name and to <target>-canary"
)
_PROVIDER = "set exactly one provider: nginx, istio or gatewayAPI"
_RISING = "weights must rise from step to step, each higher than the one before"
_ENDING = "the last step must have weight 100; promotion follows it"
_REPLICAS = "must be a number from 1 to 2147483647, Proportional or Full"


def rule(field: str, message: str, value: str = "") -> Causes:
    """Give the answer of one CEL rule; scalar values are told, objects and lists are not."""
    return ((f"spec.{field}".rstrip("."), f"Invalid value: {value and value + ': '}{message}"),)


def shape(field: str, message: str) -> Causes:
    """Give the answer to a value of the wrong shape."""
    return ((f"spec.{field}", message), UNCHECKED)


def mistyped(field: str, found: str, wanted: str) -> Causes:
    """Give the answer to a value of the wrong type."""
    message = f'Invalid value: "{found}": spec.{field} in body must be of type {wanted}: "{found}"'
    return shape(field, message)


def bounded(field: str, value: int, bound: str) -> Causes:
    """Give the answer to a number out of its range."""
    message = f"Invalid value: {value}: spec.{field} in body should be {bound}"
    return ((f"spec.{field}", message),)


def supported(field: str, value: str, *known: str) -> Causes:
    """Give the answer to a word that is not among the known ones."""
    listed = ", ".join(f'"{word}"' for word in known)
    return shape(field, f'Unsupported value: "{value}": supported values: {listed}')


def _target(**change: Any) -> Object:
    return {"targetRef": change}


def _settle(value: Any) -> Object:
    return {"traffic": {"settle": value}}


def _bad_settle(value: str) -> Causes:
    return rule("traffic.settle", _TIME, f'"{value}"')


def _helm(**change: Any) -> Object:
    return {"tests": [{"helm": {"release": "soma", **change}}]}


_TARGET = (
    Case("no target", {"targetRef": GONE}, shape("targetRef", "Required value")),
    Case("a target without a name", _target(name=GONE), shape("targetRef.name", "Required value")),
    Case("a target's null name", _target(name=None), shape("targetRef.name", "Required value")),
    Case(
        "a target of another kind",
        _target(kind="StatefulSet"),
        supported("targetRef.kind", "StatefulSet", "Deployment"),
    ),
    Case(
        "a target of another API",
        _target(apiVersion="apps/v2"),
        supported("targetRef.apiVersion", "apps/v2", "apps/v1"),
    ),
    Case("a target in capitals", _target(name="Soma"), rule("targetRef.name", _NAME, '"Soma"')),
    Case("a target's empty name", _target(name=""), rule("targetRef.name", _NAME, '""')),
    Case(
        "a target too long to name its canary after",
        _target(name="a" * 57),
        rule(
            "targetRef",
            "name may have at most 56 characters: the canary's objects are called <name>-canary",
        ),
    ),
    Case("a dotted target without Services", _target(name="so.ma"), rule("", _DOTTED)),
    Case(
        "a dotted target with one Service",
        {"targetRef": {"name": "so.ma"}, "service": {"stable": "soma"}},
        rule("", _DOTTED),
    ),
    Case("a container's bad name", {"container": "a_b"}, rule("container", _LABEL, '"a_b"')),
    Case(
        "a Service's bad name",
        {"service": {"stable": "a.b"}},
        rule("service.stable", _LABEL, '"a.b"'),
    ),
    Case(
        "one Service twice",
        {"service": {"stable": "web", "canary": "web"}},
        rule("", _TWO_SERVICES),
    ),
    Case(
        "the canary's Service is stable's by default",
        {"service": {"canary": "soma-gateway"}},
        rule("", _TWO_SERVICES),
    ),
    Case(
        "the stable Service is the canary's by default",
        {"service": {"stable": "soma-gateway-canary"}},
        rule("", _TWO_SERVICES),
    ),
)

_IMAGE = (
    Case("no image", {"image": GONE}, rule("", _ONE_IMAGE)),
    Case("an image and a tag", {"imageTag": "1"}, rule("", _ONE_IMAGE)),
    Case("an image with a space", {"image": "a b"}, rule("image", _REFERENCE, '"a b"')),
    Case("an image in capitals", {"image": "r/Soma:1"}, rule("image", _REFERENCE, '"r/Soma:1"')),
    Case("an image as a URL", {"image": "https://r/a"}, rule("image", _REFERENCE, '"https://r/a"')),
    Case("a short digest", {"image": "a@sha256:ab"}, rule("image", _REFERENCE, '"a@sha256:ab"')),
    Case(
        "an endless image",
        {"image": "a" * 513},
        shape("image", "Too long: may not be more than 512 bytes"),
    ),
    Case("an image that is a number", {"image": 5}, mistyped("image", "integer", "string")),
    Case(
        "a tag with its repository",
        {"image": GONE, "imageTag": "soma:1"},
        rule("imageTag", _TAG, '"soma:1"'),
    ),
    Case(
        "a digest as a tag",
        {"image": GONE, "imageTag": DIGEST},
        rule("imageTag", _TAG, f'"{DIGEST}"'),
    ),
)

_TRAFFIC = (
    Case("no traffic", {"traffic": GONE}, shape("traffic", "Required value")),
    Case("no provider", {"traffic": {"nginx": GONE}}, rule("traffic", _PROVIDER)),
    Case(
        "two providers",
        {"traffic": {"istio": {"virtualService": "soma"}}},
        rule("traffic", _PROVIDER),
    ),
    Case(
        "nginx without an Ingress",
        {"traffic": {"nginx": {"ingress": GONE}}},
        shape("traffic.nginx.ingress", "Required value"),
    ),
    Case(
        "an Ingress of another namespace",
        {"traffic": {"nginx": {"ingress": "other/soma"}}},
        rule("traffic.nginx.ingress", _NAME, '"other/soma"'),
    ),
    Case(
        "one subset twice",
        istio(subsets={"stable": "v1", "canary": "v1"}),
        rule("traffic.istio.subsets", "stable and canary must be two different subsets"),
    ),
    Case(
        "one subset only",
        istio(subsets={"stable": "v1"}),
        shape("traffic.istio.subsets.canary", "Required value"),
    ),
    Case("a nameless route", istio(routes=[""]), rule("traffic.istio.routes[0]", _NAME, '""')),
    Case(
        "too many routes",
        istio(routes=["a"] * 17),
        shape("traffic.istio.routes", "Too many: 17: must have at most 16 items"),
    ),
    Case(
        "an HTTPRoute in capitals",
        {"traffic": {"nginx": GONE, "gatewayAPI": {"httpRoute": "A"}}},
        rule("traffic.gatewayAPI.httpRoute", _NAME, '"A"'),
    ),
)

_DURATIONS = (
    Case("a negative time", _settle("-5s"), _bad_settle("-5s")),
    Case("an empty time", _settle(""), _bad_settle("")),
    Case("a time in days", _settle("1d"), _bad_settle("1d")),
    Case("a time without a unit", _settle("5"), _bad_settle("5")),
    Case("a time with a fraction", _settle("1.5s"), _bad_settle("1.5s")),
    Case("small units first", _settle("5s2m"), _bad_settle("5s2m")),
    Case("a unit twice", _settle("1m1m"), _bad_settle("1m1m")),
    Case("a time that would overflow", _settle("100000h"), _bad_settle("100000h")),
    Case("a time with a line break", _settle("5s\n"), _bad_settle("5s\\n")),
    Case("a time in other digits", _settle("٣s"), _bad_settle("٣s")),
    Case("a time that is a number", _settle(5), mistyped("traffic.settle", "integer", "string")),
    Case(
        "an endless time",
        _settle("9" * 26),
        shape("traffic.settle", "Too long: may not be more than 25 bytes"),
    ),
    Case(
        "a scale-down delay in words",
        {"canary": {"scaleDownDelay": "half a minute"}},
        rule("canary.scaleDownDelay", _TIME, '"half a minute"'),
    ),
    Case(
        "no time to progress",
        {"progressDeadline": "0s"},
        rule("progressDeadline", "must be at least 1s", '"0s"'),
    ),
    Case(
        "a deadline below a second",
        {"progressDeadline": "999ms"},
        rule("progressDeadline", "must be at least 1s", '"999ms"'),
    ),
)

_STEPS = (
    Case(
        "no steps",
        {"steps": []},
        rule("steps", "must not be empty; leave it out for 5, 10, 25, 50, 75 and 100 %"),
    ),
    Case("steps that end below 100", steps(5, 50), rule("steps", _ENDING)),
    Case("steps that fall", steps(50, 25, 100), rule("steps", _RISING)),
    Case("a weight twice", steps(25, 25, 100), rule("steps", _RISING)),
    Case("two mistakes", steps(25, 25), rule("steps", _RISING) + rule("steps", _ENDING)),
    Case(
        "a weight of 0",
        steps(0, 100),
        bounded("steps[0].weight", 0, "greater than or equal to 1"),
    ),
    Case(
        "a weight over 100",
        steps(5, 101),
        bounded("steps[1].weight", 101, "less than or equal to 100") + rule("steps", _ENDING),
    ),
    Case(
        "a weight in words",
        {"steps": [{"weight": "5"}, {"weight": 100}]},
        mistyped("steps[0].weight", "string", "integer"),
    ),
    Case(
        "a step without a weight",
        {"steps": [{"hold": "5s"}, {"weight": 100}]},
        shape("steps[0].weight", "Required value"),
    ),
    Case(
        "a hold in words",
        {"steps": [{"weight": 5, "hold": "soon"}, {"weight": 100}]},
        rule("steps[0].hold", _TIME, '"soon"'),
    ),
    Case(
        "an approval in words",
        {"steps": [{"weight": 100, "approval": "yes"}]},
        mistyped("steps[0].approval", "string", "boolean"),
    ),
    Case(
        "more steps than weights",
        steps(*range(1, 101), 100),
        shape("steps", "Too many: 101: must have at most 100 items"),
    ),
    Case(
        "a step that is null",
        {"steps": [None, {"weight": 100}]},
        mistyped("steps[0]", "null", "object"),
    ),
)

_CANARY = (
    Case("no pods", {"canary": {"replicas": 0}}, rule("canary.replicas", _REPLICAS, "0")),
    Case(
        "more pods than a Deployment can say",
        {"canary": {"replicas": 2**31}},
        rule("canary.replicas", _REPLICAS, "2147483648"),
    ),
    Case("a word", {"canary": {"replicas": "Half"}}, rule("canary.replicas", _REPLICAS, '"Half"')),
    Case(
        "a percentage", {"canary": {"replicas": "5%"}}, rule("canary.replicas", _REPLICAS, '"5%"')
    ),
    Case(
        "a quoted number", {"canary": {"replicas": "3"}}, rule("canary.replicas", _REPLICAS, '"3"')
    ),
    Case(
        "a part of a pod",
        {"canary": {"replicas": 1.5}},
        mistyped("canary.replicas", "number", "integer,string"),
    ),
    Case(
        "pods by truth",
        {"canary": {"replicas": True}},
        mistyped("canary.replicas", "boolean", "integer,string"),
    ),
    Case(
        "no label key",
        {"canary": {"selectorLabel": "app/"}},
        rule(
            "canary.selectorLabel",
            "must be a label key, such as app or app.kubernetes.io/name",
            '"app/"',
        ),
    ),
    Case(
        "a policy gap in words",
        {"canary": {"allowPolicyGap": "no"}},
        mistyped("canary.allowPolicyGap", "string", "boolean"),
    ),
    Case(
        "a mode of our own",
        {"promotion": {"mode": "Manual"}},
        supported("promotion.mode", "Manual", "Automatic", "Handover"),
    ),
    Case("suspended in words", {"suspend": "true"}, mistyped("suspend", "string", "boolean")),
)

_TESTS = (
    Case(
        "tests of nothing",
        {"tests": [{"target": "canary"}]},
        shape("tests[0].helm", "Required value"),
    ),
    Case(
        "tests of no release",
        {"tests": [{"helm": {}}]},
        shape("tests[0].helm.release", "Required value"),
    ),
    Case("a bad release", _helm(release="Soma"), rule("tests[0].helm.release", _NAME, '"Soma"')),
    Case(
        "a release longer than Helm's",
        _helm(release="a" * 54),
        shape("tests[0].helm.release", "Too long: may not be more than 53 bytes"),
    ),
    Case(
        "a test both in and out",
        _helm(include=["a", "b"], exclude=["b"]),
        rule("tests[0].helm", "a test cannot be both included and excluded"),
    ),
    Case("a wildcard", _helm(include=["a*"]), rule("tests[0].helm.include[0]", _NAME, '"a*"')),
    Case(
        "an unknown aim",
        suite(target="production"),
        supported("tests[0].target", "production", "canary", "stable", "gateway"),
    ),
    Case(
        "tests without time",
        suite(timeout="0s"),
        rule("tests[0].timeout", "must be at least 1s", '"0s"'),
    ),
    Case(
        "a test's time in words",
        suite(timeout="5 minutes"),
        rule("tests[0].timeout", _TIME, '"5 minutes"'),
    ),
    Case(
        "no attempt",
        suite(attempts=0),
        bounded("tests[0].attempts", 0, "greater than or equal to 1"),
    ),
    Case(
        "attempts without end",
        suite(attempts=11),
        bounded("tests[0].attempts", 11, "less than or equal to 10"),
    ),
    Case(
        "too many releases",
        {"tests": [{"helm": {"release": "soma"}}] * 9},
        shape("tests", "Too many: 9: must have at most 8 items"),
    ),
)

INVALID = (*_TARGET, *_IMAGE, *_TRAFFIC, *_DURATIONS, *_STEPS, *_CANARY, *_TESTS)
