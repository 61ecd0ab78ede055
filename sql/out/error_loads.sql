-- The errors of the factors of each run, by their source. One row per run, factor and error. Runs with the same error_id err
-- together. The squares of the loads of a factor add up to the squared logarithm of its gsd.
-- The life-cycle intensity of a run has the errors of its gross one: both rest on the same location.
-- What is not of the basis alone, such as an ambiguous name or the mix of accelerators, is the run's own; the error of FLOP is
-- that of hours that follow from them.
with uncertain as (
    select
        run_id,
        factor,
        factor as erring, -- whose errors these are
        basis,
        gsd,
        source_id,
        flop_confidence
    from out.emission_factors
    where factor in ('chip_hours', 'watts_per_chip', 'pue', 'gross_kg_per_kwh')
    union all
    select
        run_id,
        'lifecycle_kg_per_kwh' as factor,
        'gross_kg_per_kwh' as erring,
        basis,
        gsd,
        source_id(source_url) as source_id,
        null as flop_confidence
    from core.grid_by_basis
    where intensity_basis = 'lifecycle'
),

factors as (
    select
        factors.run_id,
        factors.factor,
        factors.erring,
        factors.basis,
        coalesce(runs.organisation, runs.run_id) as organisation, -- an unnamed one is no other's
        coalesce(chip_family(runs.hardware_id), 'unnamed') as chip,
        coalesce(runs.cloud_region, runs.site, runs.site_country, runs.developer_country, 'world') as location,
        coalesce(cast(year(runs.published_date) as varchar), 'unknown') as year,
        factors.source_id,
        factors.flop_confidence,
        pow(ln(factors.gsd), 2) as variance,
        pow(ln(least(method.gsd, factors.gsd)), 2) as basis_variance,
        if(factors.flop_confidence is null, 0, least(variance - basis_variance, pow(ln(flop.gsd), 2))) as flop_variance
    from uncertain as factors
    inner join out.emissions as runs on factors.run_id = runs.run_id
    inner join core.method as method on factors.erring = method.factor and factors.basis = method.basis
    left join core.method as flop on flop.factor = 'training_flop' and factors.flop_confidence = flop.basis
    where factors.erring = 'gross_kg_per_kwh' or runs.energy_basis = 'computed'
),

parts as (
    select
        *,
        basis as shared_factor_basis,
        erring as shared_factor,
        basis_variance as part_variance
    from factors
    union all
    select
        *,
        flop_confidence as shared_factor_basis,
        'training_flop' as shared_factor,
        flop_variance as part_variance
    from factors
    where flop_confidence is not null
),

shared as (
    select
        parts.run_id,
        parts.factor,
        parts.erring,
        shares.error_source,
        case shares.error_source
            when 'own' then parts.run_id
            when 'chip' then parts.chip
            when 'source' then parts.source_id || ':' || parts.organisation
            when 'location' then parts.location
            when 'organisation' then parts.organisation
            when 'year' then parts.year
            when 'basis' then parts.basis
            when 'judgement' then 'all'
        end as error_key,
        shares.share_fraction * parts.part_variance as variance
    from parts
    inner join out.error_shares as shares
        on parts.shared_factor = shares.factor and parts.shared_factor_basis = shares.basis
    union all
    select
        run_id,
        factor,
        erring,
        'own' as error_source,
        run_id as error_key,
        variance - basis_variance - flop_variance as variance
    from factors
    union all
    select
        runs.run_id,
        'energy_mwh' as factor,
        'energy_mwh' as erring,
        'own' as error_source,
        runs.run_id as error_key,
        pow(ln(method.gsd), 2) as variance
    from out.emissions as runs
    inner join core.method as method on method.factor = 'energy_mwh' and method.basis = 'reported'
    where runs.energy_basis = 'reported'
)

select
    run_id,
    factor,
    if(error_source = 'judgement', 'judgement', erring || ':' || error_source || ':' || error_key) as error_id,
    error_source,
    sqrt(sum(variance order by variance)) as ln_gsd
from shared
group by run_id, factor, error_id, error_source
having sum(variance) > 1e-12
