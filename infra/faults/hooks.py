"""What may be done at the exact moment of a request: before the server, and after its answer."""

from __future__ import annotations

from typing import Protocol

from faults.requests import Request


class Hooks(Protocol):
    """Be called in the proxy's thread for each request, in the order of their passing.

    A call holds up all requests until it returns, so that nothing else happens at that moment.
    """

    def before(self, request: Request) -> bool:
        """Act before the server has the request; tell whether it may go there."""

    def after(self, request: Request, status: int, body: bytes) -> None:
        """Act when the server has answered and the client does not know it yet.

        Of a watch there is no `after`.
        """
