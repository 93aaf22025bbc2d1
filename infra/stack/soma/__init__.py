"""Small services of one flow: a message in, an answer out, and long tasks the same way."""
