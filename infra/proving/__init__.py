"""What the demo and the end-to-end tests prove things with.

Everything here looks at the cluster from outside, through code that the operator does not
share: its own client, its own watches, its own stream of requests. So a mistake in the
operator's client cannot hide itself.
"""
