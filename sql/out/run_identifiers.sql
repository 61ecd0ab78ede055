-- Papers and repositories of runs: what joins this dataset with others. One row per run and identifier. Those of a merged
-- run belong to the run that it was merged into.
select
    coalesce(merged.other_run_id, identifiers.run_id) as run_id,
    identifiers.identifier_scheme,
    identifiers.identifier,
    identifiers.identifier_match,
    source_id(identifiers.source_url) as source_id,
    identifiers.source_title,
    identifiers.source_url,
    identifiers.source_locator,
    identifiers.verified
from raw.run_identifiers as identifiers
left join raw.run_relations as merged on identifiers.run_id = merged.run_id and merged.relation = 'merged'
qualify
    row_number() over (
        partition by
            coalesce(merged.other_run_id, identifiers.run_id), identifiers.identifier_scheme, identifiers.identifier
        order by merged.run_id nulls first
    ) = 1
