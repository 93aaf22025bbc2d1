"""The model tests' search profile."""

from __future__ import annotations

from model import profiles

profiles.load()
