"""The rules of each stage, one module a stage: observation and state in, turn out."""
