-- Fitted gsd of the bases of PUE - 1. One row per basis.
with site_year as (
    select
        gsd_of(ln((quarters.pue - 1) / (years.pue - 1))) as fitted_gsd,
        count(*) as n_observations
    from core.pue_years as quarters
    inner join core.pue_years as years
        on
            quarters.provider = years.provider
            and quarters.region = years.region
            and quarters.factor_year = years.factor_year
    where quarters.quarter is not null and years.quarter is null and quarters.pue > 1 and years.pue > 1
),

provider_year as (
    select
        gsd_of(ln((sites.pue - 1) / (fleets.pue - 1))) as fitted_gsd,
        count(*) as n_observations
    from core.pue_years as sites
    inner join core.pue_years as fleets
        on sites.provider = fleets.provider and sites.factor_year = fleets.factor_year
    where
        not sites.is_average and fleets.is_average and sites.quarter is null and fleets.quarter is null
        and sites.pue > 1 and fleets.pue > 1
),

-- How PUE - 1 of a site or an operator changes in a year. The variance grows with the years between two figures; each operator
-- counts once.
other_year as (
    select
        exp(sqrt(avg(mean_square order by provider))) as fitted_gsd,
        sum(n_observations)::bigint as n_observations
    from (
        select
            earlier.provider,
            avg(
                pow(ln((later.pue - 1) / (earlier.pue - 1)), 2) / (later.factor_year - earlier.factor_year)
                order by earlier.region, earlier.factor_year, later.factor_year
            ) as mean_square,
            count(*) as n_observations
        from core.pue_years as earlier
        inner join core.pue_years as later
            on
                earlier.provider = later.provider
                and earlier.region = later.region
                and earlier.factor_year < later.factor_year
        where earlier.quarter is null and later.quarter is null and earlier.pue > 1 and later.pue > 1
        group by earlier.provider
    ) as operators
),

-- Two kinds of operators, and the uncertainty within each.
unpublished_operator as (
    select
        exp(
            sqrt(
                mix.publishing_fraction * (1 - mix.publishing_fraction) * pow(ln((mix.other_pue - 1) / (mix.training_pue - 1)), 2)
                + mix.publishing_fraction * pow(ln(trained.fitted_gsd), 2)
                + (1 - mix.publishing_fraction) * pow(ln(mix.other_gsd), 2)
            )
        ) as fitted_gsd,
        mix.n_organisations + mix.n_observations as n_observations
    from core.unpublished_pue as mix
    inner join core.location_fits as trained on trained.factor = 'pue' and trained.basis = 'training_locations'
)

select
    'pue' as factor,
    'site_year' as basis,
    fitted_gsd,
    n_observations
from site_year
union all
select
    'pue' as factor,
    unnest(['provider_year', 'organisation_provider_year']) as basis,
    fitted_gsd,
    n_observations
from provider_year
union all
select
    'pue' as factor,
    'other_year' as basis,
    fitted_gsd,
    n_observations
from other_year
union all
select
    'pue' as factor,
    'unpublished_operator' as basis,
    fitted_gsd,
    n_observations
from unpublished_operator
