-- Runs that have the same figures, or share a training, with the reason. One row per pair.
-- The curated decisions come first. Other pairs are runs with an organisation in common, the same accelerator and the same
-- hours; or, without hours, the same FLOP and the same size. They are undecided, unless the models differ in size. The other
-- run is the one to count: whole runs before parts and bounds, then the first published.
with runs as (
    select
        run_id,
        organisations,
        hardware_id,
        run_year,
        parameters,
        training_flop,
        coalesce(chip_hours, chips * training_hours) as known_hours,
        published_date,
        covers <> 'one_run' as is_part_or_bound
    from core.training_runs
    where covers <> 'hypothetical'
),

alike as (
    select
        later.run_id,
        first.run_id as other_run_id,
        coalesce(abs(later.parameters / first.parameters - 1) < 0.02, true) as is_same_size
    from runs as later
    inner join runs as first
        on
            are_related(later.organisations, first.organisations)
            and later.hardware_id is not distinct from first.hardware_id
    where
        row(later.is_part_or_bound, coalesce(later.published_date, date '9999-12-31'), later.run_id)
        > row(first.is_part_or_bound, coalesce(first.published_date, date '9999-12-31'), first.run_id)
        and (
            abs(later.known_hours / first.known_hours - 1) < 1e-5
            or (
                later.known_hours is null
                and first.known_hours is null
                and later.run_year = first.run_year
                and later.training_flop = first.training_flop
                and is_same_size
            )
        )
),

new_pairs as (
    select
        alike.run_id,
        alike.other_run_id,
        alike.is_same_size
    from alike
    where
        not exists (
            select 1
            from raw.run_relations as known
            where
                (known.run_id = alike.run_id and known.other_run_id = alike.other_run_id)
                or (known.run_id = alike.other_run_id and known.other_run_id = alike.run_id)
        )
)

select
    run_id,
    other_run_id,
    relation,
    relation_note,
    source_title,
    source_url,
    source_locator,
    verified
from raw.run_relations
union all
select
    new_pairs.run_id,
    new_pairs.other_run_id,
    if(new_pairs.is_same_size, 'undecided', 'distinct') as relation,
    if(
        new_pairs.is_same_size,
        'the same accelerator and hours, or the same FLOP and size; no source says whether it is one training',
        'the same accelerator and hours, but models of different size'
    ) as relation_note,
    runs.source_title,
    runs.source_url,
    runs.source_locator,
    runs.verified
from new_pairs
inner join core.training_runs as runs on new_pairs.run_id = runs.run_id
