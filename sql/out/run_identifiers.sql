-- Papers and repositories of runs: what joins this dataset with others. One row per run and identifier.
select
    run_id,
    identifier_scheme,
    identifier,
    identifier_match,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from raw.run_identifiers
