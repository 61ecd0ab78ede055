-- PUE, grid (gross and life-cycle) and supply of the locations and periods of runs, by the fallback orders of the dataset.
-- One row per location_no, period_no and month_count of `stays`.
with years as (
    select distinct cast(period as integer) as year
    from location_factors
    where factor = 'gross_kg_per_kwh' and location_id = 'WORLD'
),

bounds as (
    select
        min(year) as first_year,
        max(year) as last_year
    from years
),

locations as (
    select distinct
        location_no,
        cloud_region,
        provider,
        site_state,
        site_country,
        month_location_id
    from names
),

periods as (
    select distinct
        starts.period_no,
        starts.run_year,
        starts.first_month,
        least(greatest(starts.run_year, bounds.first_year), bounds.last_year) as factor_year,
        strftime(starts.first_month, '%Y') || '-Q' || quarter(starts.first_month) as run_quarter
    from starts
    cross join bounds
),

-- One per location and quarter: months differ in their grids alone.
quarters as (
    select distinct
        locations.location_no,
        locations.cloud_region,
        locations.provider,
        locations.site_state,
        locations.site_country,
        periods.factor_year,
        cast(periods.factor_year as varchar) as factor_period,
        periods.run_quarter
    from stays
    inner join locations on stays.location_no = locations.location_no
    inner join periods on stays.period_no = periods.period_no
),

numbered as (
    select
        *,
        row_number() over () as quarter_no
    from quarters
),

-- The locations and periods whose PUE, grid and supply may stand for what a run does not give, best first.
candidates as (
    select
        quarter_no,
        'pue' as factor,
        unnest([cloud_region, cloud_region, provider, 'UNPUBLISHED', 'WORLD']) as location_id,
        unnest([run_quarter, factor_period, factor_period, factor_period, factor_period]) as period,
        unnest(range(5)) as fallback_rank
    from numbered
    union all
    select
        numbered.quarter_no,
        grids.factor,
        unnest(
            [numbered.cloud_region, numbered.site_state, numbered.site_country, numbered.provider, 'WORLD']
        ) as location_id,
        numbered.factor_period as period,
        unnest(range(5)) as fallback_rank
    from numbered
    cross join (values ('gross_kg_per_kwh'), ('lifecycle_kg_per_kwh')) as grids (factor)
    union all
    select
        quarter_no,
        'net_to_gross_ratio' as factor,
        unnest([cloud_region, provider]) as location_id,
        factor_period as period,
        unnest(range(2)) as fallback_rank
    from numbered
),

-- The grid of a state, in the nearest year that is known: its own, or that of a cloud region in its zone.
state_grids as (
    select
        grid.country || '-' || grid.region as location_id,
        grid.year as factor_year,
        grid.carbon_intensity_g_per_kwh / 1000 as value, -- g to kg
        grid.intensity_basis,
        grid.source_url,
        grid.source_locator
    from grid_intensity as grid
    where grid.scheme = 'us_state'
    union all
    select
        zones.state as location_id,
        known.factor_year,
        any_value(known.value order by known.location_id) as value,
        any_value(known.intensity_basis order by known.location_id) as intensity_basis,
        any_value(known.source_url order by known.location_id) as source_url,
        any_value(known.source_locator order by known.location_id) || ', for ' || zones.state as source_locator
    from (
        select distinct state
        from states
        where country <> 'US'
    ) as zones
    inner join regions on zones.state = regions.grid_zone
    inner join location_factors as known
        on regions.region = known.location_id and known.factor = 'gross_kg_per_kwh' and known.basis = 'region_year'
    where cast(known.period as integer) = known.factor_year
    group by zones.state, known.factor_year
),

known_factors as (
    select
        factor,
        location_id,
        period,
        value,
        gsd,
        basis,
        intensity_basis,
        factor_year,
        source_url,
        source_locator
    from location_factors
    union all
    select
        'gross_kg_per_kwh' as factor,
        grids.location_id,
        cast(years.year as varchar) as period,
        grids.value,
        exp(gsds.region_year) as gsd,
        'region_year' as basis,
        grids.intensity_basis,
        grids.factor_year,
        grids.source_url,
        grids.source_locator
    from state_grids as grids
    cross join years
    cross join gsds
    qualify
        row_number() over (
            partition by grids.location_id, years.year order by abs(grids.factor_year - years.year), grids.factor_year
        ) = 1
),

-- Life-cycle intensities, as core.grid_by_basis has them: in the USA a direct one of a grid region gives one, too.
lifecycle_factors as (
    select
        known.* exclude (factor),
        'lifecycle_kg_per_kwh' as factor
    from known_factors as known
    where known.factor = 'gross_kg_per_kwh' and known.intensity_basis = 'lifecycle'
    union all by name
    select
        known.* exclude (factor)
        replace (
            known.value * ratio.lifecycle_to_direct_ratio as value,
            format('{}; x {:.3f}, life-cycle over direct', known.source_locator, ratio.lifecycle_to_direct_ratio)
                as source_locator
        ),
        'lifecycle_kg_per_kwh' as factor
    from known_factors as known
    cross join lifecycle_ratio as ratio
    left join regions on known.location_id = regions.region
    where
        known.factor = 'gross_kg_per_kwh'
        and known.basis = 'region_year'
        and known.intensity_basis = 'direct'
        and coalesce(regions.country, split_part(known.location_id, '-', 1)) = 'US'
),

all_factors as (
    select *
    from known_factors
    union all by name
    select *
    from lifecycle_factors
),

-- The states or provinces of a country whose intensities are least and highest, for who names the country alone.
ends_within as (
    select
        split_part(location_id, '-', 1) as country,
        period,
        min(value) as least,
        arg_min(location_id, value) as least_state,
        arg_min(factor_year, value) as least_year,
        max(value) as most,
        arg_max(location_id, value) as most_state,
        arg_max(factor_year, value) as most_year,
        string_agg(distinct intensity_basis, ' and ' order by intensity_basis) as kinds
    from known_factors
    where factor = 'gross_kg_per_kwh' and location_id in (select state_grids.location_id from state_grids)
    group by country, period
    having count(*) > 1
),

state_names as (
    select
        state,
        min(alias) as name -- in letters that every font has
    from states
    group by state
),

country_names as (
    select
        country,
        max_by(alias, length(alias)) as name
    from countries
    where not regexp_matches(alias, '\bof\b|Republic|,|\(')
    group by country
),

within_countries as (
    select
        ends_within.country,
        ends_within.period,
        ends_within.least,
        ends_within.most,
        format(
            'Parts of {} may differ by more than the interval allows for: {} has {:.3g} kg/kWh ({}), {} has {:.3g} kg/kWh '
            || '({}), {} intensities.',
            if(starts_with(country_names.name, 'United '), 'the ', '') || country_names.name,
            lower_names.name, ends_within.least, ends_within.least_year,
            upper_names.name, ends_within.most, ends_within.most_year,
            ends_within.kinds
        ) as message
    from ends_within
    inner join state_names as lower_names on ends_within.least_state = lower_names.state
    inner join state_names as upper_names on ends_within.most_state = upper_names.state
    inner join country_names on ends_within.country = country_names.country
),

best as (
    select
        candidates.quarter_no,
        known.*
    from candidates
    inner join all_factors as known
        on candidates.factor = known.factor and candidates.location_id = known.location_id and candidates.period = known.period
    qualify row_number() over (partition by candidates.quarter_no, candidates.factor order by candidates.fallback_rank) = 1
),

spans as (
    select distinct
        locations.month_location_id,
        periods.first_month,
        stays.month_count
    from stays
    inner join locations on stays.location_no = locations.location_no
    inner join periods on stays.period_no = periods.period_no
    where stays.month_count > 0
),

span_months as (
    select
        *,
        strftime(
            unnest(generate_series(first_month, first_month + to_months(cast(month_count - 1 as integer)), interval 1 month)),
            '%Y-%m'
        ) as month
    from spans
),

months as (
    select
        span_months.month_location_id,
        span_months.first_month,
        span_months.month_count,
        grid.intensity_basis,
        left(grid.month, 4) as period,
        avg(grid.month_to_year_ratio order by grid.month) as ratio,
        string_agg(grid.month, ', ' order by grid.month) as named,
        min(grid.source || ' ' || grid.zone) as source
    from span_months
    inner join grid_months as grid on span_months.month_location_id = grid.location_id and span_months.month = grid.month
    group by span_months.month_location_id, span_months.first_month, span_months.month_count, grid.intensity_basis, period
    having count(*) = span_months.month_count
),

-- Market-based: the contracts of the operator, else the residual mix.
markets as (
    select
        locations.location_no,
        periods.run_year,
        known.market_basis,
        known.market_kg_per_kwh,
        known.market_year,
        known.source_url,
        known.source_locator
    from locations
    cross join periods
    inner join market_locations as known
        on
            known.location_id in (locations.provider, locations.cloud_region, locations.site_country)
            and periods.run_year = known.year
    qualify
        row_number() over (
            partition by locations.location_no, periods.run_year
            order by known.location_id = locations.provider desc, known.location_id = locations.cloud_region desc
        ) = 1
),

-- The accelerators of the runs about a year, for runs that name none.
named as (
    select
        training_runs.hardware_id,
        unnest([training_runs.run_year - 1, training_runs.run_year, training_runs.run_year + 1]) as run_year
    from training_runs
    where training_runs.hardware_id is not null
),

eras as (
    select
        years.year,
        named.run_year,
        avg(ln(power.watts_per_chip)) as ln_watts,
        var_pop(ln(power.watts_per_chip)) as ln_watts_variance,
        avg(ln(power.sustained_flop_per_s)) as ln_flop_per_s,
        count(*) as named_runs
    from years
    cross join named
    inner join hardware_power as power on named.hardware_id = power.hardware_id and power.sustained_flop_per_s is not null
    group by years.year, named.run_year
    qualify row_number() over (partition by years.year order by abs(named.run_year - years.year), named.run_year) = 1
)

select
    stays.location_no,
    stays.period_no,
    stays.month_count,
    eras.run_year as era_year,
    eras.named_runs,
    exp(eras.ln_watts) as mix_watts_per_chip,
    exp(eras.ln_flop_per_s) as mix_flop_per_s,
    eras.ln_watts_variance as mix_ln_watts_variance,
    pues.basis as pue_basis,
    pues.value as pue,
    ln(pues.gsd) as pue_ln_gsd,
    exp(pue_ln_gsd) as pue_gsd,
    pue_ln_above(pues.value, pue_ln_gsd) as pue_ln_above,
    pue_ln_below(pues.value, pue_ln_gsd) as pue_ln_below,
    pues.factor_year as pue_factor_year,
    pues.source_url as pue_source_url,
    pues.source_locator as pue_source_locator,
    if(months.ratio is null, grids.basis, replace(grids.basis, '_year', '_month')) as gross_basis,
    grids.value * coalesce(months.ratio, 1) as gross_kg_per_kwh,
    case gross_basis
        when 'region_month' then gsds.region_month
        when 'country_month' then gsds.country_month
        else ln(grids.gsd)
    end as gross_ln_gsd,
    exp(gross_ln_gsd) as gross_gsd,
    if(
        starts_with(gross_basis, 'country')
        and (
            within.least * exp(z_90() * gross_ln_gsd) < gross_kg_per_kwh
            or within.most > gross_kg_per_kwh * exp(z_90() * gross_ln_gsd)
        ),
        within.message,
        null
    ) as within_country,
    grids.intensity_basis,
    grids.factor_year as gross_factor_year,
    grids.source_url as gross_source_url,
    grids.source_locator
    || if(
        months.ratio is null, '', format('; x {:.3f}, the hours of {} ({})', months.ratio, months.named, months.source)
    ) as gross_source_locator,
    if(lifecycle_months.ratio is null, lifecycle.basis, replace(lifecycle.basis, '_year', '_month')) as lifecycle_basis,
    lifecycle.value * coalesce(lifecycle_months.ratio, 1) as lifecycle_kg_per_kwh,
    case lifecycle_basis
        when 'region_month' then gsds.region_month
        when 'country_month' then gsds.country_month
        else ln(lifecycle.gsd)
    end as lifecycle_figure_ln_gsd,
    sqrt(
        pow(lifecycle_figure_ln_gsd, 2) + if(lifecycle.intensity_basis = 'direct', pow(gsds.direct_to_lifecycle, 2), 0)
    ) as lifecycle_ln_gsd,
    lifecycle.factor_year as lifecycle_factor_year,
    lifecycle.source_url as lifecycle_source_url,
    lifecycle.source_locator
    || if(
        lifecycle_months.ratio is null,
        '',
        format('; x {:.3f}, the hours of {} ({})', lifecycle_months.ratio, lifecycle_months.named, lifecycle_months.source)
    ) as lifecycle_source_locator,
    supply.basis as net_basis, -- null where nothing is known of the operator's supply, and net with it
    supply.value as net_to_gross_ratio,
    ln(supply.gsd) as supply_ln_gsd,
    sqrt(pow(gross_ln_gsd, 2) + pow(supply_ln_gsd, 2)) as net_ln_gsd,
    exp(net_ln_gsd) as net_gsd,
    supply.factor_year as net_factor_year,
    supply.source_url as net_source_url,
    supply.source_locator as net_source_locator,
    shares.grid_cfe_fraction,
    shares.factor_year as grid_cfe_year,
    if(markets.market_kg_per_kwh is null, null, markets.market_basis) as market_basis,
    markets.market_kg_per_kwh,
    markets.market_year,
    markets.source_url as market_source_url,
    markets.source_locator as market_source_locator
from stays
cross join gsds
inner join locations on stays.location_no = locations.location_no
inner join periods on stays.period_no = periods.period_no
inner join numbered
    on
        stays.location_no = numbered.location_no
        and periods.factor_year = numbered.factor_year
        and periods.run_quarter is not distinct from numbered.run_quarter
left join eras on periods.factor_year = eras.year
left join best as pues on numbered.quarter_no = pues.quarter_no and pues.factor = 'pue'
left join best as grids on numbered.quarter_no = grids.quarter_no and grids.factor = 'gross_kg_per_kwh'
left join best as lifecycle on numbered.quarter_no = lifecycle.quarter_no and lifecycle.factor = 'lifecycle_kg_per_kwh'
left join best as supply on numbered.quarter_no = supply.quarter_no and supply.factor = 'net_to_gross_ratio'
left join grid_shares as shares
    on coalesce(locations.cloud_region, locations.site_country) = shares.location_id and periods.factor_year = shares.year
left join markets on stays.location_no = markets.location_no and periods.run_year = markets.run_year
left join within_countries as within
    on locations.site_country = within.country and numbered.factor_period = within.period
left join months
    on
        locations.month_location_id = months.month_location_id
        and periods.first_month = months.first_month
        and stays.month_count = months.month_count
        and grids.basis in ('region_year', 'country_year')
        and grids.intensity_basis = months.intensity_basis
        and grids.factor_year = cast(months.period as integer)
left join months as lifecycle_months
    on
        locations.month_location_id = lifecycle_months.month_location_id
        and periods.first_month = lifecycle_months.first_month
        and stays.month_count = lifecycle_months.month_count
        and lifecycle.basis in ('region_year', 'country_year')
        and lifecycle.intensity_basis = lifecycle_months.intensity_basis
        and lifecycle.factor_year = cast(lifecycle_months.period as integer)
