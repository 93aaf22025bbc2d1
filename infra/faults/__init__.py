"""A proxy before the real API server that errs by a seed, and rollouts through it."""
