"""What can go wrong with a request, split by what helps.

| category         | what helps                               | which answers                      |
|------------------|------------------------------------------|------------------------------------|
| `SpecError`      | somebody changes an object or a right    | 403, 422 and any other 4xx         |
| `RetryableError` | the same again, after a backoff          | 401, 408, 429, 5xx, no answer      |
| `ConflictError`  | a new look: what we believed has changed | 404, 409, 410, 422 of a JSON patch |
| `FencedError`    | nothing here: another leads, so exit     | none, raised before sending        |

Every answer of the server is also an `ApiError`, which carries what the server said. A request that
got no answer may have taken effect all the same.
"""

from typing import Any


class KubeError(Exception):
    """Raised when the cluster did not do what was asked; base of all errors here."""


class SpecError(KubeError):
    """Raised when somebody must change something before this can work."""


class RetryableError(KubeError):
    """Raised when the same request may work later."""


class FencedError(KubeError):
    """Raised when a write was about to go out without a lease that certainly still holds."""


class UnreachableError(RetryableError):
    """Raised when no answer came: time-out, reset, refused, unknown host, bad certificate."""


class ApiError(KubeError):
    """Raised when the API server answered with something other than success."""

    def __init__(
        self,
        status: int,
        reason: str = "",
        message: str = "",
        details: dict[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(status, reason, message, details, retry_after)
        self.status = status
        self.reason = reason
        self.message = message
        self.details: dict[str, Any] = details or {}
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.status} {self.reason}: {self.message}"


class ConflictError(ApiError):
    """Raised when the object is no longer as the request assumed: look again (409, failed test)."""


class NotFoundError(ConflictError):
    """Raised when the object, or the whole resource, does not exist (404)."""


class AlreadyExistsError(ConflictError):
    """Raised when the name is taken (409 with the reason AlreadyExists)."""


class GoneError(ConflictError):
    """Raised when the asked resourceVersion or page is no longer kept (410)."""


class InvalidError(ApiError, SpecError):
    """Raised when the server refuses what was sent, now and later (4xx without a class here)."""


class ForbiddenError(ApiError, SpecError):
    """Raised when rights, a quota, an admission rule or a dying namespace forbid it (403)."""


class UnauthorizedError(ApiError, RetryableError):
    """Raised when the credentials are not accepted; they may just have expired (401)."""


class ThrottledError(ApiError, RetryableError):
    """Raised when the server asks for patience, for `retry_after` seconds if it says so (429)."""


class ServerError(ApiError, RetryableError):
    """Raised when the server failed or timed out on its side (408, 5xx, 3xx)."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    408: ServerError,
    409: ConflictError,
    410: GoneError,
    429: ThrottledError,
}


def from_status(
    status: int,
    body: object,
    *,
    retry_after: str | None = None,
    json_patch: bool = False,
) -> ApiError:
    """Return the error for an answer's code and its body: a parsed `Status`, or any text."""
    said: dict[str, Any] = body if isinstance(body, dict) else {"message": str(body or "")}
    details = said.get("details") or {}
    reason = str(said.get("reason") or "")
    return _kind(status, reason, details, json_patch=json_patch)(
        status,
        reason,
        str(said.get("message") or ""),
        details,
        _seconds(retry_after, details.get("retryAfterSeconds")),
    )


def _kind(status: int, reason: str, details: dict[str, Any], *, json_patch: bool) -> type[ApiError]:
    if status == 409 and reason == "AlreadyExists":
        return AlreadyExistsError
    # NB: the server says 422 both for a result that fails validation, which names the object's
    # kind, and for a patch that did not apply (a `test` or a path failed), which names nothing.
    if status == 422 and json_patch and not details.get("kind"):
        return ConflictError
    default = InvalidError if 400 <= status < 500 else ServerError
    return _BY_STATUS.get(status, default)


def _seconds(*values: object) -> float | None:
    for value in values:
        try:
            return float(str(value))
        except ValueError:
            continue
    return None
