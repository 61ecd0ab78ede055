-- Every measured or disclosed truth beside what would have been estimated without it. One row per truth, what is held out,
-- what is left out, and estimator. Held out, each with all before it: power, pue, chip_hours, hardware, location.
-- Left out of every ratio and fit: the run itself, or all of its organisations (for power: all that its source measured).
-- Truth is measured: draws, energies and tonnes from measured power, disclosed chip-hours; never rated power x hours.
-- Rivals are computed on the same rows from their own published factors; they state no interval. Their tonnes are their energy
-- x what they take for the grid of the very location: the run's region or, if unknown, its country. Without one, no tonnes.
-- A hypothetical location is no truth: there, energy is held against power alone. Nor are tonnes of a country's average,
-- whatever is held out: what is stated of the intensity always is.
-- What the run's own source states of its intensity, and of its site's PUE and grid where these are held out, is left out, so
-- tonnes test the location's grid as well.
with gsds as (
    select
        factor,
        basis,
        fallback_rank,
        ln(gsd) as ln_gsd
    from core.method
),

held_out_power_values as (
    select distinct
        observation_id,
        held_out_scope,
        hardware_id,
        source_title
    from core.held_out_power
),

-- What the errors of other power tell of each: without itself, and without what errs together with it.
power_groups as (
    select
        target.observation_id,
        target.held_out_scope,
        errors.basis,
        errors.error_group,
        avg(pow(errors.log_ratio, 2) order by errors.observation_id) as mean_square
    from held_out_power_values as target
    inner join core.power_errors as errors
        on
            errors.error_group not in (target.observation_id, board_of(target.hardware_id), target.source_title)
            and (target.held_out_scope = 'run' or target.source_title <> errors.source_title)
    group by target.observation_id, target.held_out_scope, errors.basis, errors.error_group
),

power_gsds as (
    select
        observation_id,
        held_out_scope,
        basis,
        ln(power_gsd(basis, list(mean_square order by error_group))) as ln_gsd
    from power_groups
    group by observation_id, held_out_scope, basis
),

power as (
    select
        held_out.observation_id,
        held_out.held_out_scope,
        held_out.basis,
        held_out.run_id,
        held_out.hardware_id,
        held_out.measured_watts_per_chip,
        held_out.estimated_watts_per_chip,
        gsds.fallback_rank,
        coalesce(own.ln_gsd, gsds.ln_gsd) as ln_gsd
    from core.held_out_power as held_out
    inner join gsds on gsds.factor = 'watts_per_chip' and held_out.basis = gsds.basis
    left join power_gsds as own
        on
            held_out.observation_id = own.observation_id
            and held_out.held_out_scope = own.held_out_scope
            and held_out.basis = own.basis
),

-- The best basis that is left when this power is held out, when all power of its chip are, and when all of its kind are.
best_power as (
    select
        power.observation_id,
        power.held_out_scope,
        levels.held_out,
        power.run_id,
        power.hardware_id,
        power.measured_watts_per_chip,
        power.estimated_watts_per_chip,
        power.ln_gsd
    from power
    inner join (
        values
        ('power', 'measured_'), ('hardware_power', 'measured_ratio'), ('class_power', 'measured_ratio_other_class')
    ) as levels (held_out, bases)
        on starts_with(power.basis, levels.bases)
    qualify row_number() over (
        partition by power.observation_id, power.held_out_scope, levels.held_out order by power.fallback_rank
    ) = 1
),

known_power as (
    select *
    from best_power
    where held_out = 'power'
),

-- The draw of a mix has the larger uncertainty of those that the operator did not measure, and that of a bare name, as in
-- core.method.
mix_power as (
    select
        held_out.observation_id,
        coalesce(
            sqrt(pow(max(own.ln_gsd), 2) + pow(any_value(coalesce(variants.ln_gsd, 0)), 2)), any_value(gsds.ln_gsd)
        ) as ln_gsd
    from core.held_out_power as held_out
    left join gsds on gsds.factor = 'watts_per_chip' and gsds.basis = 'hardware_mix'
    left join gsds as variants on variants.factor = 'watts_per_chip' and variants.basis = 'ambiguous_variant'
    left join power_gsds as own
        on
            held_out.observation_id = own.observation_id
            and own.held_out_scope = 'developer'
            and own.basis in ('measured_same_chip_elsewhere', 'measured_ratio_elsewhere')
    group by held_out.observation_id
),

hours_fits as (
    select
        target.observation_id,
        target.held_out_scope,
        target.basis,
        target.run_id,
        target.log_ratio,
        target.own_share_fraction,
        if(target.basis = 'flop_over_throughput', 'chip_hours', 'hardware') as held_out,
        ln(calibrated_gsd(list(other.log_ratio order by other.observation_id))) as own_ln_gsd
    from core.held_out_hours as target
    inner join core.flop_observations as known on target.observation_id = known.observation_id
    inner join core.held_out_hours as other
        on
            target.basis = other.basis
            and other.held_out_scope = if(target.basis = 'flop_by_developer', 'run', 'developer') -- as core.method fits it
            and target.observation_id <> other.observation_id
    inner join core.flop_observations as others
        on
            other.observation_id = others.observation_id
            and (target.held_out_scope = 'run' or not are_related(others.organisations, known.organisations))
    group by
        target.observation_id, target.held_out_scope, target.basis, target.run_id, target.log_ratio, target.own_share_fraction
),

hours_errors as (
    select
        *,
        no_less(
            own_ln_gsd,
            max(own_ln_gsd) filter (where basis = 'flop_over_throughput') over (partition by observation_id, held_out_scope)
        ) as ln_gsd
    from hours_fits
),

hours as (
    select
        candidates.run_id,
        candidates.value as chip_hours,
        gsds.ln_gsd,
        candidates.source_title,
        candidates.source_url,
        candidates.source_locator
    from core.chip_hours_candidates as candidates
    inner join gsds on gsds.factor = 'chip_hours' and candidates.basis = gsds.basis
    where candidates.basis in ('disclosed', 'chips_x_hours')
    qualify row_number() over (partition by candidates.run_id order by gsds.fallback_rank) = 1
),

-- Bases that rest on a location, but on no fact of the run's own source; means over other runs name the first of many sources.
location_bases (factor, basis) as (
    values
    ('pue', 'site_quarter'), ('pue', 'site_year'), ('pue', 'provider_year'), ('gross_kg_per_kwh', 'region_year'),
    ('gross_kg_per_kwh', 'region_month'), ('gross_kg_per_kwh', 'country_year'), ('gross_kg_per_kwh', 'country_month')
),

all_candidates as (
    select
        candidates.run_id,
        'pue' as factor,
        candidates.basis,
        candidates.value,
        candidates.factor_year,
        candidates.source_url
    from core.pue_candidates as candidates
    union all
    select
        candidates.run_id,
        'gross_kg_per_kwh' as factor,
        candidates.basis,
        candidates.value,
        candidates.factor_year,
        candidates.source_url
    from core.gross_candidates as candidates
),

known as (
    select
        all_candidates.run_id,
        all_candidates.factor,
        all_candidates.basis,
        all_candidates.value,
        abs(all_candidates.factor_year - runs.run_year) as years_apart,
        location_bases.basis is not null and all_candidates.source_url = runs.source_url as is_of_own_source
    from all_candidates
    inner join core.training_runs as runs on all_candidates.run_id = runs.run_id
    left join location_bases on all_candidates.factor = location_bases.factor and all_candidates.basis = location_bases.basis
    union all
    select
        run_id,
        factor,
        basis,
        value,
        0 as years_apart,
        false as is_of_own_source
    from core.held_out_locations
),

-- An organisation counts once in the gsd of an inferred location, and not at all in the gsd of its own runs.
place_groups as (
    select
        factor,
        basis,
        organisation,
        avg(pow(log_ratio, 2) order by run_id) as mean_square
    from core.location_errors
    group by factor, basis, organisation
),

location_errors as (
    select
        runs.run_id,
        others.factor,
        others.basis,
        ln(
            greatest(
                any_value(bases.gsd_floor), calibrated_gsd_of_groups(list(others.mean_square order by others.organisation))
            )
        ) as ln_gsd
    from core.training_runs as runs
    inner join place_groups as others on not are_related(runs.organisations, others.organisation)
    inner join raw.method_bases as bases on others.factor = bases.factor and others.basis = bases.basis
    where others.basis <> 'industry_year' -- stated, as in core.method
    group by runs.run_id, others.factor, others.basis
    having count(*) >= 3
),

pues as (
    select
        known.run_id,
        known.value as pue,
        sqrt(
            pow(coalesce(errors.ln_gsd, gsds.ln_gsd), 2) + pue_ln_variance(known.basis, known.years_apart, year_change.ln_gsd)
        ) as widened_ln_gsd,
        pue_ln_above(known.value, widened_ln_gsd) as ln_above,
        pue_ln_below(known.value, widened_ln_gsd) as ln_below,
        scopes.scope
    from known
    inner join gsds on gsds.factor = 'pue' and known.basis = gsds.basis
    left join gsds as year_change on year_change.factor = 'pue' and year_change.basis = 'other_year'
    left join location_errors as errors
        on known.run_id = errors.run_id and known.factor = errors.factor and known.basis = errors.basis
    inner join (values ('any'), ('location'), ('none'), ('stranger')) as scopes (scope)
        on
            scopes.scope = 'any'
            or (scopes.scope = 'location' and known.basis <> 'disclosed' and not known.is_of_own_source)
            or (scopes.scope = 'none' and known.basis in ('developer_locations', 'training_locations', 'industry_year'))
            or (scopes.scope = 'stranger' and known.basis in ('training_locations', 'industry_year'))
    where known.factor = 'pue'
    qualify row_number() over (
        partition by known.run_id, scopes.scope order by gsds.fallback_rank asc, known.is_of_own_source desc
    ) = 1
),

grids as (
    select
        known.run_id,
        known.value as gross_kg_per_kwh,
        coalesce(errors.ln_gsd, gsds.ln_gsd) as ln_gsd,
        scopes.scope
    from known
    inner join gsds on gsds.factor = 'gross_kg_per_kwh' and known.basis = gsds.basis
    left join location_errors as errors
        on known.run_id = errors.run_id and known.factor = errors.factor and known.basis = errors.basis
    inner join (values ('location'), ('none'), ('stranger')) as scopes (scope)
        on
            (scopes.scope = 'location' and known.basis <> 'disclosed' and not known.is_of_own_source)
            or (
                scopes.scope = 'none'
                and known.basis in ('provider_regions', 'developer_locations', 'developer_country_year', 'world_year')
            )
            or (scopes.scope = 'stranger' and known.basis in ('provider_regions', 'developer_country_year', 'world_year'))
    where known.factor = 'gross_kg_per_kwh'
    qualify row_number() over (partition by known.run_id, scopes.scope order by gsds.fallback_rank) = 1
),

levels as (
    select
        listed.held_out,
        listed.pue_scope,
        listed.grid_scope,
        if(listed.pue_scope = 'none', 'stranger', listed.pue_scope) as stranger_pue,
        if(listed.grid_scope = 'none', 'stranger', listed.grid_scope) as stranger_grid,
        listed.hours_held_out
    from (
        values
        ('power', 'any', 'location', null),
        ('pue', 'location', 'location', null),
        ('chip_hours', 'location', 'location', 'chip_hours'),
        ('hardware', 'location', 'location', 'hardware'),
        ('location', 'none', 'none', 'hardware')
    ) as listed (held_out, pue_scope, grid_scope, hours_held_out)
),

-- Hours of a mix are hours at the power usual for the chip: of that power only the chip's share in the mix is estimated.
energies as (
    select
        power.run_id,
        power.held_out_scope,
        levels.held_out,
        if(power.held_out_scope = 'developer', levels.stranger_grid, levels.grid_scope) as grid_scope,
        hours.chip_hours * exp(coalesce(hours_errors.log_ratio, 0)) as estimated_chip_hours,
        exp(
            coalesce(hours_errors.own_share_fraction, 1) * ln(power.estimated_watts_per_chip)
            + if(hours_errors.own_share_fraction < 1, (1 - hours_errors.own_share_fraction) * ln(usual.watts_per_chip), 0)
        ) as used_watts_per_chip,
        estimated_chip_hours * used_watts_per_chip * pues.pue / 1e6 as energy_mwh, -- Wh to MWh
        sqrt(
            pow(if(levels.hours_held_out is null, hours.ln_gsd, hours_errors.ln_gsd), 2)
            + pow(if(levels.hours_held_out = 'hardware', mix_power.ln_gsd, power.ln_gsd), 2)
        ) as it_ln_gsd,
        widened(pues.ln_above, it_ln_gsd) as ln_above,
        widened(pues.ln_below, it_ln_gsd) as ln_below,
        hours.chip_hours,
        power.hardware_id,
        pues.pue
    from known_power as power
    inner join hours on power.run_id = hours.run_id
    inner join mix_power on power.observation_id = mix_power.observation_id
    inner join core.training_runs as runs on power.run_id = runs.run_id
    left join core.chip_power as usual on power.hardware_id = usual.hardware_id
    cross join levels
    inner join pues
        on
            power.run_id = pues.run_id
            and if(power.held_out_scope = 'developer', levels.stranger_pue, levels.pue_scope) = pues.scope
    left join hours_errors
        on
            power.run_id = hours_errors.run_id
            and power.held_out_scope = hours_errors.held_out_scope
            and levels.hours_held_out = hours_errors.held_out
    where
        (levels.hours_held_out is null or hours_errors.log_ratio is not null)
        and (levels.held_out = 'power' or runs.covers is distinct from 'hypothetical')
),

many_grids as (
    select country
    from raw.regions
    where egrid_subregion is not null
),

no_locations as (
    select run_id
    from core.training_runs
    where
        covers = 'hypothetical'
        or (region is null and site_country in (select many_grids.country from many_grids))
),

published as (
    select
        run_id,
        quantity,
        value,
        source_title,
        source_url,
        source_locator
    from raw.published_footprints
    where
        derivation = 'measured_power'
        and scope = 'servers_x_pue'
        and status = 'published'
        and covers = 'one_run'
        and basis in ('unspecified', 'gross_location')
        and (quantity <> 'co2e_t' or run_id not in (select no_locations.run_id from no_locations))
),

rival_pues as (
    select
        runs.run_id,
        factors.rival,
        factors.value as pue
    from core.training_runs as runs
    inner join raw.rival_factors as factors
        on
            factors.quantity = 'pue'
            and factors.applies_to in ('default', runs.provider, year(runs.published_date)::varchar)
    qualify row_number() over (partition by runs.run_id, factors.rival order by factors.applies_to = 'default') = 1
),

rival_grids as (
    select
        runs.run_id,
        factors.rival,
        factors.value as gross_kg_per_kwh
    from core.training_runs as runs
    inner join raw.rival_factors as factors
        on factors.quantity = 'gross_kg_per_kwh' and factors.applies_to = coalesce(runs.region, runs.site_country)
),

rivals as (
    select
        energies.run_id,
        power.rival as estimator,
        replace(power.rival, '_simulated', '') as tool,
        energies.chip_hours * power.rival_watts_per_chip * coalesce(pues.pue, energies.pue) / 1e6 as energy_mwh -- Wh to MWh
    from energies
    inner join core.rival_power as power on energies.hardware_id = power.hardware_id
    left join rival_pues as pues
        on energies.run_id = pues.run_id and replace(power.rival, '_simulated', '') = pues.rival
    where energies.held_out = 'power' and energies.held_out_scope = 'run'
    union all
    select
        energies.run_id,
        pues.rival || '_metered' as estimator,
        pues.rival as tool,
        published.value / energies.pue * pues.pue as energy_mwh -- as if its meters were perfect
    from energies
    inner join published on energies.run_id = published.run_id and published.quantity = 'energy_mwh'
    inner join rival_pues as pues
        on
            energies.run_id = pues.run_id
            and pues.rival in ('codecarbon', 'carbontracker', 'eco2ai', 'experiment_impact_tracker')
    where energies.held_out = 'power' and energies.held_out_scope = 'run'
),

truths as (
    select
        'watts_per_chip' as quantity,
        power_id(hardware_id, system, workload) as truth_id,
        source_title,
        source_url,
        source_locator
    from core.power_observations
    union all
    select
        'chip_hours' as quantity,
        observations.observation_id as truth_id,
        hours.source_title,
        hours.source_url,
        hours.source_locator
    from core.flop_observations as observations
    inner join hours on observations.run_id = hours.run_id
    union all
    select
        if(quantity = 'co2e_t', 'co2e_gross_t', quantity) as quantity,
        run_id as truth_id,
        source_title,
        source_url,
        source_locator
    from published
    union all
    select distinct
        'net_kg_per_kwh' as quantity,
        net_id as truth_id,
        source_title,
        source_url,
        source_locator
    from core.held_out_net
),

scored as (
    select
        'net_kg_per_kwh' as quantity,
        net_id as truth_id,
        held_out,
        'location' as held_out_scope,
        'ote' as estimator,
        net_kg_per_kwh as truth_value,
        estimated_net_kg_per_kwh as estimate,
        z_90() * ln_gsd as ln_above,
        z_90() * ln_gsd as ln_below
    from core.held_out_net
    union all
    select
        'watts_per_chip' as quantity,
        observation_id as truth_id,
        held_out,
        held_out_scope,
        'ote' as estimator,
        measured_watts_per_chip as truth_value,
        estimated_watts_per_chip as estimate,
        z_90() * ln_gsd as ln_above,
        z_90() * ln_gsd as ln_below
    from best_power
    union all
    select
        'chip_hours' as quantity,
        errors.observation_id as truth_id,
        errors.held_out,
        errors.held_out_scope,
        'ote' as estimator,
        hours.chip_hours as truth_value,
        hours.chip_hours * exp(errors.log_ratio) as estimate,
        z_90() * errors.ln_gsd as ln_above,
        z_90() * errors.ln_gsd as ln_below
    from hours_errors as errors
    inner join hours on errors.run_id = hours.run_id
    union all
    select
        'energy_mwh' as quantity,
        energies.run_id as truth_id,
        energies.held_out,
        energies.held_out_scope,
        'ote' as estimator,
        published.value as truth_value,
        energies.energy_mwh as estimate,
        energies.ln_above,
        energies.ln_below
    from energies
    inner join published on energies.run_id = published.run_id and published.quantity = 'energy_mwh'
    union all
    select
        'co2e_gross_t' as quantity,
        energies.run_id as truth_id,
        energies.held_out,
        energies.held_out_scope,
        'ote' as estimator,
        published.value as truth_value,
        energies.energy_mwh * grids.gross_kg_per_kwh as estimate, -- MWh x kg/kWh is t
        widened(energies.ln_above, grids.ln_gsd) as ln_above,
        widened(energies.ln_below, grids.ln_gsd) as ln_below
    from energies
    inner join grids on energies.run_id = grids.run_id and energies.grid_scope = grids.scope
    inner join published on energies.run_id = published.run_id and published.quantity = 'co2e_t'
    union all
    select
        'watts_per_chip' as quantity,
        power.observation_id as truth_id,
        'power' as held_out,
        'run' as held_out_scope,
        rival_power.rival as estimator,
        power.measured_watts_per_chip as truth_value,
        rival_power.rival_watts_per_chip as estimate,
        null as ln_above,
        null as ln_below
    from known_power as power
    inner join core.rival_power as rival_power on power.hardware_id = rival_power.hardware_id
    where power.held_out_scope = 'run'
    union all
    select
        'energy_mwh' as quantity,
        rivals.run_id as truth_id,
        'power' as held_out,
        'run' as held_out_scope,
        rivals.estimator,
        published.value as truth_value,
        rivals.energy_mwh as estimate,
        null as ln_above,
        null as ln_below
    from rivals
    inner join published on rivals.run_id = published.run_id and published.quantity = 'energy_mwh'
    union all
    select
        'co2e_gross_t' as quantity,
        rivals.run_id as truth_id,
        'power' as held_out,
        'run' as held_out_scope,
        rivals.estimator,
        published.value as truth_value,
        rivals.energy_mwh * grids.gross_kg_per_kwh as estimate, -- MWh x kg/kWh is t
        null as ln_above,
        null as ln_below
    from rivals
    inner join rival_grids as grids on rivals.run_id = grids.run_id and rivals.tool = grids.rival
    inner join published on rivals.run_id = published.run_id and published.quantity = 'co2e_t'
)

select
    scored.quantity,
    scored.truth_id,
    scored.held_out,
    scored.held_out_scope,
    scored.estimator,
    scored.truth_value,
    scored.estimate,
    scored.estimate * exp(-scored.ln_below) as p05,
    scored.estimate * exp(scored.ln_above) as p95,
    scored.estimate / scored.truth_value as estimate_to_truth_ratio,
    scored.truth_value between p05 and p95 as inside_interval,
    source_id(truths.source_url) as source_id,
    truths.source_title,
    truths.source_url,
    truths.source_locator
from scored
left join truths on scored.quantity = truths.quantity and scored.truth_id = truths.truth_id
