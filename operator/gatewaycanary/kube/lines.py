"""Cut a stream of chunks into lines, whatever their sizes.

A line split over many chunks is joined once, when its end arrives, so that a huge one costs no more
than its length.
"""


class Lines:
    """Collect chunks and give each line when it is whole."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the lines that this chunk completes, without their ends and empty ones."""
        first, *rest = chunk.split(b"\n")
        self._pieces.append(first)
        if not rest:
            return []
        whole = [b"".join(self._pieces), *rest[:-1]]
        self._pieces = [rest[-1]]
        return [line for line in whole if line]
