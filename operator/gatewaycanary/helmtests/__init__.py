"""Helm tests run for a canary: what a release stores, what is created of it, what came of that."""
