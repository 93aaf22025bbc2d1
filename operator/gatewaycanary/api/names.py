"""The names that a spec may hold, each as strict as the Kubernetes field that it ends up in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gatewaycanary.api.rules import Ruled, pattern

LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = f"{LABEL}([.]{LABEL})*"
QUALIFIED = f"({SUBDOMAIN}/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?"

_IS_LABEL = pattern(
    LABEL,
    message="must be lower-case letters, digits and '-', with a letter or digit at both ends",
)
_IS_SUBDOMAIN = pattern(
    SUBDOMAIN,
    message="must be lower-case letters, digits, '-' and '.', with a letter or digit at both ends",
)
_IS_LABEL_KEY = pattern(
    QUALIFIED, message="must be a label key, such as app or app.kubernetes.io/name"
)

ObjectName = Annotated[str, Field(max_length=253), Ruled((_IS_SUBDOMAIN,))]
"""The name of a Deployment, Ingress, test Pod and most other objects."""

LabelName = Annotated[str, Field(max_length=63), Ruled((_IS_LABEL,))]
"""The name of a Service, a container, a subset or a route."""

ReleaseName = Annotated[str, Field(max_length=53), Ruled((_IS_SUBDOMAIN,))]
"""The name of a Helm release, as long as Helm allows."""

LabelKey = Annotated[str, Field(max_length=317), Ruled((_IS_LABEL_KEY,))]
"""The key of a label: an optional DNS prefix of at most 253, '/', a name of at most 63."""
