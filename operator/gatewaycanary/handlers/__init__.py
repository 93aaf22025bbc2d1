"""The only place that knows kopf: events become keys, and nothing is changed from here."""
