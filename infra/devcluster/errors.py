"""What can go wrong in a way that a person can act on.

One type: its message is printed as it is, without a stack trace, and says
what to do next. Anything else that escapes is a bug and shows its trace.
"""


class ClusterError(Exception):
    """Raised when the cluster cannot be had, with words for the person who asked."""
