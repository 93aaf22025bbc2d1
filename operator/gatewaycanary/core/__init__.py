"""Pure decisions: a frozen snapshot in, a decision out; no I/O, clock or randomness."""
