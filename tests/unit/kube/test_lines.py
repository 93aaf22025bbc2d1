"""Lines from chunks: the cut of the chunks must not matter."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gatewaycanary.kube.lines import Lines


@given(
    lines=st.lists(st.binary(min_size=1).map(lambda raw: raw.replace(b"\n", b"x")), max_size=20),
    cuts=st.lists(st.integers(min_value=0, max_value=400), max_size=20),
)
def test_any_cut_gives_the_same_lines(lines: list[bytes], cuts: list[int]) -> None:
    """However the stream is cut, the lines are those that were sent."""
    stream = b"".join(line + b"\n" for line in lines)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    parser = Lines()
    got = [line for start, end in pairwise(edges) for line in parser.feed(stream[start:end])]
    assert got == lines


def test_an_unfinished_line_is_kept_back() -> None:
    """Half a line is no line."""
    parser = Lines()
    assert parser.feed(b'{"a":') == []
    assert parser.feed(b"1}\n{") == [b'{"a":1}']


def test_a_huge_line_in_small_chunks() -> None:
    """Ten megabytes in kilobyte chunks come out whole, and not in quadratic time."""
    parser = Lines()
    for _ in range(10_000):
        assert parser.feed(b"x" * 1024) == []
    assert parser.feed(b"\n") == [b"x" * 10_240_000]
