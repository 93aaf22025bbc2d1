"""Everything that speaks to the API server, in raw JSON, with errors by whose fault they are.

From the bottom: `resources` and `errors` are values; `connection` finds the cluster and keeps the
credentials fresh; `transport` sends one request past the `limiter`; `client` knows the verbs;
`store` holds trimmed records that `reflector` keeps true; `lease` decides who may write.
"""
