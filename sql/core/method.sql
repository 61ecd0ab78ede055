-- Geometric standard deviation (gsd) of every basis. One row per factor and basis. It is fitted on the facts, but
-- never below its lower limit. With fewer than three observations, a stated value is used. The gsd of a PUE is that of PUE - 1.
with chips_x_hours as (
    select
        gsd_of(ln(chips * training_hours / chip_hours)) as fitted_gsd,
        count(*) as n_observations
    from raw.training_runs
    where chips is not null and training_hours is not null and chip_hours is not null
),

-- Hours of upstream's confident records over those that the publisher's own text states.
third_party_hours as (
    select
        calibrated_gsd(
            list(
                ln(
                    coalesce(upstream.chip_hours, upstream.chips * upstream.training_hours)
                    / coalesce(curated.chip_hours, curated.chips * curated.training_hours)
                ) order by upstream.run_id
            )
        ) as fitted_gsd,
        count(*) as n_observations
    from core.upstream_runs as upstream
    inner join raw.training_runs as curated on upstream.run_id = curated.run_id
    where
        upstream.confidence = 'Confident'
        and curated.verified = 'primary'
        and coalesce(upstream.chip_hours, upstream.chips * upstream.training_hours) is not null
        and coalesce(curated.chip_hours, curated.chips * curated.training_hours) is not null
),

hours_fits as (
    select
        basis,
        calibrated_gsd(list(log_ratio order by observation_id)) as own_gsd,
        count(*) as n_observations
    from core.held_out_hours
    where held_out_scope = if(basis = 'flop_by_developer', 'run', 'developer') -- that basis knows its developer's other runs
    group by basis
),

-- Hours on an accelerator that is not named are no surer than on one that is.
held_out_hours as (
    select
        fits.basis,
        no_less(fits.own_gsd, named.own_gsd) as fitted_gsd,
        fits.n_observations
    from hours_fits as fits
    left join hours_fits as named on named.basis = 'flop_over_throughput'
),

power_groups as (
    select
        basis,
        error_group,
        avg(pow(log_ratio, 2) order by observation_id) as mean_square,
        count(*) as n_observations
    from core.power_errors
    group by basis, error_group
),

power as (
    select
        basis,
        power_gsd(basis, list(mean_square order by error_group)) as fitted_gsd,
        sum(n_observations)::bigint as n_observations
    from power_groups
    group by basis
),

reported_sources as (
    select
        source_url,
        avg(pow(log_ratio, 2) order by run_id, reported_energy_mwh) as mean_square,
        count(*) as n_observations
    from core.held_out_reported
    group by source_url
),

reported as (
    select
        calibrated_gsd_of_groups(list(mean_square order by source_url)) as fitted_gsd,
        sum(n_observations)::bigint as n_observations
    from reported_sources
),

stated_tdp as (
    select
        calibrated_gsd(list(ln(rated_fraction) order by hardware_id, system, workload)) as fitted_gsd,
        count(*) as n_observations
    from core.power_observations
),

-- Each bare name counts once, its variants as often as runs name them in full.
variants as (
    select
        usual.hardware_id,
        avg(pow(ln(variants.tdp_w / usual.tdp_w), 2) order by runs.run_id) as mean_square,
        count(*) as n_observations
    from core.hardware as usual
    inner join core.hardware as variants
        -- nvidia-rtx-2060 and nvidia-rtx-2060-super: alike up to the first word with a digit
        on starts_with(
            variants.hardware_id || '-',
            coalesce(
                nullif(regexp_extract(usual.hardware_id || '-', '^[a-z]+-([a-z]+-)*[a-z]*[0-9][a-z0-9]*-'), ''),
                usual.hardware_id
            )
        )
    inner join core.training_runs as runs on variants.hardware_id = runs.hardware_id and not runs.is_ambiguous_hardware
    where
        usual.hardware_id in (
            select aliases.hardware_id from core.hardware_aliases as aliases
            where aliases.is_ambiguous
        )
        and variants.tdp_w is not null
    group by usual.hardware_id
),

ambiguous_variant as (
    select
        exp(sqrt(avg(mean_square order by hardware_id))) as fitted_gsd,
        sum(n_observations)::bigint as n_observations
    from variants
),

site_year as (
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

-- The locations of an organisation are alike, and one paper names those of many runs: so an organisation counts once.
place_groups as (
    select
        factor,
        basis,
        organisation,
        avg(pow(log_ratio, 2) order by run_id) as mean_square,
        count(*) as n_observations
    from core.location_errors
    where basis <> 'industry_year' -- the companies that publish a PUE are not those that the survey stands in for
    group by factor, basis, organisation
),

inferred_locations as (
    select
        factor,
        basis,
        calibrated_gsd_of_groups(list(mean_square order by organisation)) as fitted_gsd,
        sum(n_observations)::bigint as n_observations
    from place_groups
    group by factor, basis
),

-- Regions that no source names are no surer than those that one does.
provider_regions as (
    select
        no_less(every.fitted_gsd, named.fitted_gsd) as fitted_gsd,
        every.n_observations
    from inferred_locations as every
    left join inferred_locations as named on every.factor = named.factor and named.basis = 'provider_locations'
    where every.factor = 'gross_kg_per_kwh' and every.basis = 'provider_regions'
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
    inner join inferred_locations as trained on trained.factor = 'pue' and trained.basis = 'training_locations'
),

region_year as (
    select
        gsd_of(ln(months.carbon_intensity_g_per_kwh / years.carbon_intensity_g_per_kwh)) as fitted_gsd,
        count(*) as n_observations
    from raw.grid_intensity as months
    inner join raw.regions as regions on months.region = regions.region
    inner join raw.grid_intensity as years
        on
            years.scheme = 'us_egrid_subregion'
            and regions.egrid_subregion = years.region
            and months.year = years.year
    where months.scheme = 'google_cloud' and starts_with(months.region, 'site:')
),

within_country as (
    select gsd_of(ln(subregions.carbon_intensity_g_per_kwh / nation.carbon_intensity_g_per_kwh)) as fitted_gsd
    from raw.grid_intensity as subregions
    inner join raw.grid_intensity as nation
        on subregions.scheme = nation.scheme and subregions.year = nation.year
    where subregions.scheme = 'us_egrid_subregion' and subregions.region <> 'US' and nation.region = 'US'
),

world_year as (
    select
        exp(
            sqrt(
                avg(pow(ln(country.value / world.value), 2) order by country.run_id)
                + pow(ln(any_value(within_country.fitted_gsd)), 2)
            )
        ) as fitted_gsd,
        count(*) as n_observations
    from core.gross_candidates as country
    inner join core.gross_candidates as world on country.run_id = world.run_id and world.basis = 'world_year'
    cross join within_country
    where country.basis = 'country_year'
),

-- Errors grow with the share that the operator's supply replaces, so the gsd is that of a location where it replaces everything.
-- Each location counts once; its intensities of another year than its supply count with the others.
net_locations as (
    select
        location,
        avg(pow(log_ratio, 2) order by net_id) as mean_square,
        avg(pow(1 - residual_fraction, 2) order by net_id) as mean_square_supplied_fraction,
        count(*) as n_observations
    from core.net_pairs
    group by location
),

operator_hourly as (
    select
        exp(
            sqrt(sum(mean_square order by location) / sum(mean_square_supplied_fraction order by location))
            * student_widening(count(*))
        ) as fitted_gsd,
        sum(n_observations)::bigint as n_observations
    from net_locations
),

-- How the ratio of net to gross changes from one year to the next. Each region counts once.
supply_changes as (
    select
        earlier.region,
        avg(pow(ln(later.net_to_gross_ratio / earlier.net_to_gross_ratio), 2) order by earlier.factor_year) as mean_square,
        count(*) as n_observations
    from core.region_supply as earlier
    inner join core.region_supply as later
        on earlier.region = later.region and later.factor_year = earlier.factor_year + 1
    group by earlier.region
),

supply_other_year as (
    select
        exp(sqrt(avg(mean_square order by region))) as fitted_gsd,
        sum(n_observations)::bigint as n_observations
    from supply_changes
),

-- Embodied figures and water: each published one over the mean of the others that it would be estimated from.
embodied as (
    select
        if(facts.component = 'host', 'host', chip_family(facts.hardware_id)) as family,
        facts.source_url,
        avg(ln(facts.embodied_kg / facts.chips) order by facts.embodied_id) as ln_kg
    from raw.embodied_carbon as facts
    group by family, facts.source_url, facts.component
),

held_out_embodied as (
    select
        truth.family,
        truth.source_url,
        truth.family = others.family as is_same_family,
        any_value(truth.ln_kg) - avg(others.ln_kg order by others.source_url) as ln_kg_error
    from embodied as truth
    inner join embodied as others
        on truth.source_url <> others.source_url and (truth.family = 'host') = (others.family = 'host')
    group by truth.family, truth.source_url, is_same_family
),

embodied_fits as (
    select
        'accelerator_kg_per_chip' as factor,
        'published_chip' as basis,
        calibrated_gsd(list(ln_kg_error order by family, source_url)) as fitted_gsd,
        count(*) as n_observations
    from held_out_embodied
    where is_same_family and family <> 'host'
    union all
    select
        'accelerator_kg_per_chip' as factor,
        'typical_chip' as basis,
        calibrated_gsd(list(ln_kg_error order by family, source_url)) as fitted_gsd,
        count(*) as n_observations
    from held_out_embodied
    where not is_same_family
    union all
    select
        'host_kg_per_chip' as factor,
        'typical_host' as basis,
        calibrated_gsd(list(ln_kg_error order by family, source_url)) as fitted_gsd,
        count(*) as n_observations
    from held_out_embodied
    where family = 'host'
),

lives as (
    select
        'busy_hours' as factor,
        'published_lives' as basis,
        calibrated_gsd(list(log_error order by lifetime_id)) as fitted_gsd,
        count(*) as n_observations
    from (
        select
            truth.lifetime_id,
            any_value(ln(truth.lifetime_years)) - avg(ln(others.lifetime_years) order by others.lifetime_id) as log_error
        from raw.hardware_lifetimes as truth
        inner join raw.hardware_lifetimes as others on truth.lifetime_id <> others.lifetime_id
        group by truth.lifetime_id
    ) as held_out_lives
),

within_country_water as (
    select
        calibrated_gsd(
            list(ln(states.grid_water_l_per_kwh / countries.grid_water_l_per_kwh) order by states.region)
        ) as fitted_gsd,
        count(*) as n_observations
    from raw.grid_water as states
    inner join raw.grid_water as countries on states.country = countries.region
    where states.region <> states.country
),

water_fits as (
    select
        'wue_l_per_kwh' as factor,
        'provider_year' as basis,
        calibrated_gsd(list(ln(sites.wue_l_per_kwh / fleets.wue_l_per_kwh) order by sites.provider, sites.site)) as fitted_gsd,
        count(*) as n_observations
    from core.datacenter_pue as sites
    inner join core.datacenter_pue as fleets on sites.provider = fleets.provider and sites.period = fleets.period
    where fleets.site = 'fleet average' and sites.site <> 'fleet average' and sites.wue_l_per_kwh > 0
    union all
    select
        'grid_water_l_per_kwh' as factor,
        unnest(['country', 'developer_country']) as basis,
        fitted_gsd,
        n_observations
    from within_country_water
    union all
    select
        'grid_water_l_per_kwh' as factor,
        'world' as basis,
        exp(
            sqrt(
                pow(
                    ln(
                        calibrated_gsd(
                            list(ln(countries.grid_water_l_per_kwh / world.grid_water_l_per_kwh) order by countries.region)
                        )
                    ),
                    2
                )
                + pow(ln(any_value(within_country_water.fitted_gsd)), 2)
            )
        ) as fitted_gsd,
        count(*) as n_observations
    from raw.grid_water as countries
    inner join raw.grid_water as world on world.region = 'WORLD' and countries.region <> 'WORLD'
    cross join within_country_water
    where countries.region = countries.country
),

fits as (
    select
        'chip_hours' as factor,
        'chips_x_hours' as basis,
        fitted_gsd,
        n_observations
    from chips_x_hours
    union all
    select
        'chip_hours' as factor,
        'third_party_confident' as basis,
        fitted_gsd,
        n_observations
    from third_party_hours
    union all
    select
        'chip_hours' as factor,
        basis,
        fitted_gsd,
        n_observations
    from held_out_hours
    union all
    select
        'watts_per_chip' as factor,
        basis,
        fitted_gsd,
        n_observations
    from power
    union all
    select
        'watts_per_chip' as factor,
        'hardware_mix' as basis,
        exp(
            sqrt(
                pow(ln(max(power.fitted_gsd)), 2) -- an accelerator of the mix has one of the two
                + pow(ln(any_value(coalesce(variants.fitted_gsd, 1))), 2) -- and no named variant
            )
        ) as fitted_gsd,
        arg_max(power.n_observations, power.fitted_gsd) as n_observations
    from power
    cross join ambiguous_variant as variants
    where power.basis in ('measured_same_chip_elsewhere', 'measured_ratio_elsewhere')
    union all
    select
        'watts_per_chip' as factor,
        'stated_tdp' as basis,
        fitted_gsd,
        n_observations
    from stated_tdp
    union all
    select
        'watts_per_chip' as factor,
        'ambiguous_variant' as basis,
        fitted_gsd,
        n_observations
    from ambiguous_variant
    union all
    select
        'pue' as factor,
        'site_year' as basis,
        fitted_gsd,
        n_observations
    from site_year
    union all
    select
        'pue' as factor,
        'provider_year' as basis,
        fitted_gsd,
        n_observations
    from provider_year
    union all
    select
        'pue' as factor,
        'organisation_provider_year' as basis,
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
    union all
    select
        factor,
        basis,
        fitted_gsd,
        n_observations
    from inferred_locations
    where basis <> 'provider_regions'
    union all
    select
        'gross_kg_per_kwh' as factor,
        unnest(['region_month', 'region_year']) as basis, -- no run with a known month tells how much the month narrows it
        fitted_gsd,
        n_observations
    from region_year
    union all
    select
        'gross_kg_per_kwh' as factor,
        'country_month' as basis,
        fitted_gsd,
        n_observations
    from inferred_locations
    where factor = 'gross_kg_per_kwh' and basis = 'country_year'
    union all
    select
        'gross_kg_per_kwh' as factor,
        'world_year' as basis,
        fitted_gsd,
        n_observations
    from world_year
    union all
    select
        'gross_kg_per_kwh' as factor,
        'provider_regions' as basis,
        fitted_gsd,
        n_observations
    from provider_regions
    union all
    select
        'gross_kg_per_kwh' as factor,
        'direct_to_lifecycle' as basis,
        fitted_gsd,
        n_observations
    from core.lifecycle_ratio
    union all
    select
        'net_kg_per_kwh' as factor,
        unnest(['operator_hourly', 'operator_locations']) as basis, -- the spread of the locations is added for each run
        fitted_gsd,
        n_observations
    from operator_hourly
    union all
    select
        'net_kg_per_kwh' as factor,
        'supply_other_year' as basis,
        fitted_gsd,
        n_observations
    from supply_other_year
    union all
    select
        'energy_mwh' as factor,
        'reported' as basis,
        fitted_gsd,
        n_observations
    from reported
    union all
    select
        factor,
        basis,
        fitted_gsd,
        n_observations
    from embodied_fits
    union all
    select
        factor,
        basis,
        fitted_gsd,
        n_observations
    from lives
    union all
    select
        factor,
        basis,
        fitted_gsd,
        n_observations
    from water_fits
    union all
    select
        'overhead_ratio' as factor,
        'typical_project' as basis,
        fitted_gsd,
        n_observations
    from core.typical_overhead
)

select
    bases.factor,
    bases.basis,
    bases.fallback_rank,
    bases.solidity,
    if(fits.n_observations >= 3 and fits.fitted_gsd is not null, greatest(bases.gsd_floor, fits.fitted_gsd), bases.gsd_unfitted)
        as gsd,
    fits.fitted_gsd,
    coalesce(fits.n_observations, 0) as n_observations,
    bases.fitted_on
from raw.method_bases as bases
left join fits on bases.factor = fits.factor and bases.basis = fits.basis
