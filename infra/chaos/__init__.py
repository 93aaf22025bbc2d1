"""Rollouts while everything around them dies: `make chaos`.

Each run is one rollout in a namespace of its own, with its operators, its pods and its stream of
requests; ten go side by side and share one outage of the cluster. What happens to a run is a pure
function of a seed and its number; what it came to is judged on what was stored and answered.
"""
