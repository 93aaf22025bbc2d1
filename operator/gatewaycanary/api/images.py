"""Image references: what a spec may name, and how a tag goes onto a repository.

The grammar is the registries' own: ``[host[:port]/]path[:tag][@digest]``. It is checked before
anything starts, since Kubernetes itself would only tell by a pod that never runs.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gatewaycanary.api.rules import Ruled, pattern

TAG = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DOMAIN = (
    "[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?"
    "([.][a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)*(:[0-9]{1,5})?"
)
_PATH = "[a-z0-9]+(([.]|_|__|-+)[a-z0-9]+)*"
_DIGEST = "[A-Za-z][A-Za-z0-9]*([-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,128}"
REFERENCE = f"({_DOMAIN}/)?{_PATH}(/{_PATH})*(:{TAG})?(@{_DIGEST})?"

_IS_REFERENCE = pattern(
    REFERENCE,
    message="must be an image reference, such as registry.example/app:2.0.0 or app@sha256:<digest>",
)
_IS_TAG = pattern(
    TAG,
    message="must be a tag alone, such as 2.0.0; a repository or a digest goes into image",
)

ImageReference = Annotated[str, Field(max_length=512), Ruled((_IS_REFERENCE,))]
ImageTag = Annotated[str, Field(max_length=128), Ruled((_IS_TAG,))]


def repository(image: str) -> str:
    """Give the image without its tag and digest; a registry's port is no tag."""
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"


def retag(image: str, *, tag: str) -> str:
    """Put a tag on the image's repository in place of its own tag or digest."""
    return f"{repository(image)}:{tag}"
