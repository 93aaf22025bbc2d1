"""What the operator tells the outside: metrics, events and logs."""
