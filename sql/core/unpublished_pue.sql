-- PUE where neither an operator that publishes its own nor another run of the organisation is known. One row.
-- Five large companies publish, and train where PUE is low: who is not known to use one of them is not like them.
-- publishing_fraction: of the organisations whose operator is known, those with one that publishes; runs on TPUs, whose
-- operator is always known, say nothing of the others. other_pue: what is known of all others, each source once: surveys of
-- large sites, national and regional averages, operators of other kinds, and what runs state of operators that do not
-- publish. Means and spreads are of the logarithm of PUE - 1.
with publishing as (
    select distinct provider
    from core.pue_years
    where provider in ('Amazon Web Services', 'Google', 'Meta', 'Microsoft Azure', 'OVHcloud', 'Scaleway')
),

organisations as (
    select
        runs.organisation,
        max((providers.provider in (select publishing.provider from publishing))::integer) as is_publishing
    from core.run_providers as providers
    inner join core.training_runs as runs on providers.run_id = runs.run_id
    left join core.hardware as hardware on runs.hardware_id = hardware.hardware_id
    where runs.organisation is not null and hardware.kind is distinct from 'tpu'
    group by runs.organisation
),

others as (
    select
        provider as name,
        avg(ln(pue - 1) order by pue) as ln_overhead
    from core.datacenter_pue
    where
        pue > 1
        and pue_basis in ('annual', 'survey_average')
        and provider not in (select publishing.provider from publishing)
        and provider not in (industry_average(), 'Industry average (IDC)', 'OLCF')
    group by provider
    union all
    select
        provider as name,
        avg(ln(pue - 1) order by run_id) as ln_overhead
    from core.training_runs
    where
        pue > 1
        and provider is not null
        and covers is distinct from 'hypothetical'
        and provider not in (select known.provider from core.pue_years as known)
    group by provider
),

errors as (
    select
        own.name,
        pow(own.ln_overhead - avg(rest.ln_overhead order by rest.name), 2) as square
    from others as own
    inner join others as rest on own.name <> rest.name
    group by own.name, own.ln_overhead
),

publishers as (
    select
        organisation,
        avg(ln(pue - 1) order by run_id, year) as ln_overhead
    from core.stated_pues
    where pue > 1
    group by organisation
),

shares as (
    select
        avg(is_publishing order by organisation) as publishing_fraction,
        count(*) as n_organisations
    from organisations
),

other_means as (
    select
        1 + exp(avg(ln_overhead order by name)) as other_pue,
        count(*) as n_observations
    from others
),

training_means as (
    select 1 + exp(avg(ln_overhead order by organisation)) as training_pue
    from publishers
),

spreads as (
    select calibrated_gsd_of_groups(list(square order by name)) as other_gsd
    from errors
)

select
    shares.publishing_fraction,
    other_means.other_pue,
    training_means.training_pue,
    spreads.other_gsd,
    shares.n_organisations,
    other_means.n_observations
from shares
cross join other_means
cross join training_means
cross join spreads
where shares.n_organisations >= 3 and spreads.other_gsd is not null
