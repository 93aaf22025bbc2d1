"""Which error an answer becomes: what helps must be told by its class alone."""

from typing import Any

import pytest

from gatewaycanary.kube import errors
from gatewaycanary.kube.errors import (
    AlreadyExistsError,
    ApiError,
    ConflictError,
    FencedError,
    ForbiddenError,
    GoneError,
    InvalidError,
    KubeError,
    NotFoundError,
    RetryableError,
    ServerError,
    SpecError,
    ThrottledError,
    UnauthorizedError,
    UnreachableError,
    from_status,
)


def status(code: int, reason: str, **details: Any) -> dict[str, Any]:
    """Return a Status body."""
    return {
        "kind": "Status",
        "code": code,
        "reason": reason,
        "message": "said",
        "details": details,
    }


@pytest.mark.parametrize(
    ("code", "reason", "kind", "category"),
    [
        (400, "BadRequest", InvalidError, SpecError),
        (401, "Unauthorized", UnauthorizedError, RetryableError),
        (403, "Forbidden", ForbiddenError, SpecError),
        (404, "NotFound", NotFoundError, ConflictError),
        (405, "MethodNotAllowed", InvalidError, SpecError),
        (408, "Timeout", ServerError, RetryableError),
        (409, "Conflict", ConflictError, ConflictError),
        (409, "AlreadyExists", AlreadyExistsError, ConflictError),
        (410, "Expired", GoneError, ConflictError),
        (413, "RequestEntityTooLarge", InvalidError, SpecError),
        (415, "UnsupportedMediaType", InvalidError, SpecError),
        (422, "Invalid", InvalidError, SpecError),
        (429, "TooManyRequests", ThrottledError, RetryableError),
        (500, "InternalError", ServerError, RetryableError),
        (502, "", ServerError, RetryableError),
        (503, "ServiceUnavailable", ServerError, RetryableError),
        (504, "Timeout", ServerError, RetryableError),
        (301, "", ServerError, RetryableError),
    ],
)
def test_each_status_has_its_class_and_category(
    code: int, reason: str, kind: type[ApiError], category: type[KubeError]
) -> None:
    """Every answer falls into exactly one category."""
    error = from_status(code, status(code, reason))
    assert type(error) is kind
    assert isinstance(error, category)
    categories = (SpecError, RetryableError, ConflictError, FencedError)
    assert sum(isinstance(error, one) for one in categories) == 1


@pytest.mark.parametrize("code", range(300, 600))
def test_no_status_is_without_a_category(code: int) -> None:
    """Whatever number comes, the engine knows what to do."""
    error = from_status(code, "")
    assert isinstance(error, SpecError | RetryableError | ConflictError)


def test_a_patch_that_does_not_apply_is_a_conflict() -> None:
    """422 without a kind means that a `test` or a path of our patch failed: look again."""
    body = status(422, "Invalid")
    assert type(from_status(422, body, json_patch=True)) is ConflictError
    assert type(from_status(422, body, json_patch=False)) is InvalidError


def test_a_patch_whose_result_is_invalid_is_no_conflict() -> None:
    """422 with a kind means that validation refused the result: looking again does not help."""
    body = status(422, "Invalid", kind="Ingress", name="a")
    assert type(from_status(422, body, json_patch=True)) is InvalidError


def test_what_the_server_said_is_kept() -> None:
    """Reason, message and details survive, and the text says them."""
    error = from_status(409, status(409, "Conflict", name="a"))
    assert (error.status, error.reason, error.message) == (409, "Conflict", "said")
    assert error.details == {"name": "a"}
    assert str(error) == "409 Conflict: said"


@pytest.mark.parametrize(
    ("header", "details", "seconds"),
    [
        ("7", {}, 7.0),
        (None, {"retryAfterSeconds": 3}, 3.0),
        ("7", {"retryAfterSeconds": 3}, 7.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", {}, None),
        (None, {}, None),
    ],
)
def test_retry_after(header: str | None, details: dict[str, Any], seconds: float | None) -> None:
    """The header counts before the body; what is no number of seconds is not guessed at."""
    body = status(429, "TooManyRequests", **details)
    assert from_status(429, body, retry_after=header).retry_after == seconds


def test_a_body_that_is_no_status_is_the_message() -> None:
    """A proxy's plain text is shown as it is."""
    error = from_status(502, "bad gateway")
    assert error.message == "bad gateway"


@pytest.mark.parametrize("body", [None, [], "", {"details": None}])
def test_no_body_breaks_it(body: object) -> None:
    """An empty or odd body gives an error like any other."""
    assert from_status(500, body).status == 500


def test_no_answer_is_retryable() -> None:
    """An unreachable server may be reachable later."""
    assert issubclass(UnreachableError, RetryableError)
    assert not issubclass(UnreachableError, ApiError)


def test_all_errors_have_one_base() -> None:
    """Whoever wants them all catches KubeError."""
    named = [getattr(errors, name) for name in dir(errors) if name.endswith("Error")]
    assert all(issubclass(one, KubeError) for one in named)
