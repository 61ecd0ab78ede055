"""The only part that touches a network: fetch what upstreams publish, judge it, rewrite the baseline."""
