"""What people ask of the published database: why, where, when, and what of a run of their own."""
