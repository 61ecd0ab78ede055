"""From what upstreams send and people curate to the tables raw.*: bytes fetched, kept, accepted and typed."""
