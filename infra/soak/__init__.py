"""Thousands of rollouts through one operator, and what that leaves behind: nothing."""
