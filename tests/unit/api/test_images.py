"""Image references: repositories, tags, digests, and registries with a port."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatewaycanary.api.images import repository, retag

DIGEST = "sha256:" + "ab" * 32

REPOSITORIES = (
    ("soma", "soma"),
    ("soma:1.0", "soma"),
    (f"soma@{DIGEST}", "soma"),
    (f"soma:1.0@{DIGEST}", "soma"),
    ("registry.example/soma:1.0", "registry.example/soma"),
    ("localhost:5000/soma", "localhost:5000/soma"),
    ("localhost:5000/soma:1.0", "localhost:5000/soma"),
    (f"localhost:5000/a/b/soma:1.0@{DIGEST}", "localhost:5000/a/b/soma"),
)


@pytest.mark.parametrize(("image", "expected"), REPOSITORIES)
def test_the_repository_is_what_stands_before_tag_and_digest(image: str, expected: str) -> None:
    """A port belongs to the registry; a digest's colon is no tag's."""
    assert repository(image) == expected


@pytest.mark.parametrize(("image", "expected"), REPOSITORIES)
def test_a_tag_takes_the_place_of_tag_and_digest(image: str, expected: str) -> None:
    """A new tag never stands beside an old digest, which would win."""
    assert retag(image, tag="2.0.0") == f"{expected}:2.0.0"


@given(
    host=st.sampled_from(["", "registry.example/", "localhost:5000/"]),
    path=st.from_regex(r"[a-z0-9]{1,8}(/[a-z0-9]{1,8}){0,2}", fullmatch=True),
    tag=st.sampled_from(["", ":1", ":v1.2-rc.1"]),
    digest=st.sampled_from(["", f"@{DIGEST}"]),
)
def test_retagging_keeps_the_repository(host: str, path: str, tag: str, digest: str) -> None:
    """For every form of reference, and twice is as good as once."""
    image = f"{host}{path}{tag}{digest}"
    once = retag(image, tag="next")
    assert once == f"{host}{path}:next"
    assert retag(once, tag="next") == once
