"""Everything that speaks to the API server, in raw JSON, with errors by whose fault they are.

From the bottom: `resources` and `errors` are values; `connections` finds the cluster and keeps the
credentials fresh; `transports` sends one request; `clients` knows the verbs; `stores` hold trimmed
records that `reflectors` keep true; `leases` decide who may write.
"""
