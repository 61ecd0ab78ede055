-- What a run leaves out, as far as projects published it: experiments, failed runs and idle machines, next to the run and in none
-- of its totals. One row per run whose energy is known.
-- overhead_ratio is the whole project over its final run: that of the run's own project, else the usual one. It holds for the
-- final run of a new model; fine-tuning and ablations are themselves parts of a project.
with own as (
    select
        facts.*,
        unnest(string_split(facts.run_ids, ';')) as run_id
    from raw.project_overheads as facts
    where facts.overhead_kind = 'whole_project'
),

first_fact as (
    select
        first_source(source_title, source_url, null)[1] as source_title,
        first_source(source_title, source_url, null)[2] as source_url,
        least_verified(verified) as verified
    from raw.project_overheads
    where overhead_kind = 'whole_project'
),

ratios as (
    select
        runs.run_id,
        if(own.run_id is null, 'typical_project', 'published_project') as overhead_basis,
        coalesce(own.overhead_ratio, typical.overhead_ratio) as overhead_ratio,
        coalesce(own.source_title, first_fact.source_title) as source_title,
        coalesce(own.source_url, first_fact.source_url) as source_url,
        coalesce(own.source_locator, typical.source_locator || '; the source named is the first of theirs') as source_locator,
        coalesce(own.verified, first_fact.verified) as verified
    from out.emissions as runs
    cross join core.typical_overhead as typical
    cross join first_fact
    left join own on runs.run_id = own.run_id
),

formula as (
    select
        ratios.*,
        runs.energy_mwh * (ratios.overhead_ratio - 1) as left_out_mwh,
        runs.co2e_gross_t * (ratios.overhead_ratio - 1) as left_out_t,
        z_90() * ln(method.gsd) as ratio_ln,
        sqrt(pow(ln(runs.energy_mwh_p95 / runs.energy_mwh), 2) + pow(ratio_ln, 2)) as energy_ln_above,
        sqrt(pow(ln(runs.energy_mwh / runs.energy_mwh_p05), 2) + pow(ratio_ln, 2)) as energy_ln_below,
        sqrt(pow(ln(runs.co2e_gross_t_p95 / nullif(runs.co2e_gross_t, 0)), 2) + pow(ratio_ln, 2)) as gross_ln_above,
        sqrt(pow(ln(runs.co2e_gross_t / nullif(runs.co2e_gross_t_p05, 0)), 2) + pow(ratio_ln, 2)) as gross_ln_below
    from ratios
    inner join out.emissions as runs on ratios.run_id = runs.run_id
    inner join core.method as method on method.factor = 'overhead_ratio' and ratios.overhead_basis = method.basis
)

select
    run_id,
    overhead_basis,
    overhead_ratio,
    1 + (overhead_ratio - 1) * exp(-ratio_ln) as overhead_ratio_p05,
    1 + (overhead_ratio - 1) * exp(ratio_ln) as overhead_ratio_p95,
    left_out_mwh,
    left_out_mwh * exp(-energy_ln_below) as left_out_mwh_p05,
    left_out_mwh * exp(energy_ln_above) as left_out_mwh_p95,
    left_out_t,
    left_out_t * exp(-gross_ln_below) as left_out_t_p05,
    left_out_t * exp(gross_ln_above) as left_out_t_p95,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from formula
