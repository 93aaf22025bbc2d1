"""What users write and what the operator answers: models, schema and CRD."""
