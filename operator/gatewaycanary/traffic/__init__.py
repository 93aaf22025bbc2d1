"""Traffic providers: one a file behind one protocol, independent of each other, all pure."""
