"""What a command may end with besides its verdict."""

from __future__ import annotations

from typing import Final

USAGE: Final = 64
UNAVAILABLE: Final = 69


class CommandError(Exception):
    """Raised when a command cannot do what was asked; its text is for the person who asked."""

    def __init__(self, message: str, *, code: int = USAGE) -> None:
        super().__init__(message)
        self.code = code
