"""Move a gateway's traffic to a new image in tested steps."""
