-- Every measured or disclosed truth beside what would have been estimated without it. One row per truth, what is withheld,
-- what is left out, and estimator. Withheld, each with all before it: power, pue, chip_hours, hardware, place.
-- Left out of every ratio and fit: the run itself, or all of its developer (for power: all that its source measured).
-- Truth is measured: draws, energies and tonnes from measured power, disclosed chip-hours; never rated power x hours.
-- Rivals are computed on the same rows from their own published factors; they state no interval. Their tonnes are their energy
-- x what they take for the grid of the very place: the run's region or, if unknown, its country. Without one, no tonnes.
-- A hypothetical place is no truth: there, energy is held against power alone. Nor are tonnes of a country's average, whatever is
-- withheld: what is stated of the intensity always is.
-- What the run's own source states of its intensity, and of its site's PUE and grid where these are withheld, is left out, so
-- tonnes test the place's grid as well.
with spreads as (
    select
        factor,
        basis,
        rung,
        ln(gsd) as ln_gsd
    from core.method
),

withheld_draws as (
    select distinct
        observation_id,
        left_out,
        hardware_id,
        source_title
    from core.withheld_power
),

-- What the errors of other draws tell of each: without itself, and without what errs together with it.
power_groups as (
    select
        target.observation_id,
        target.left_out,
        errors.basis,
        errors.error_group,
        avg(pow(errors.log_ratio, 2) order by errors.observation_id) as mean_square
    from withheld_draws as target
    inner join core.power_errors as errors
        on
            errors.error_group not in (target.observation_id, target.hardware_id, target.source_title)
            and (target.left_out = 'run' or target.source_title <> errors.source_title)
    group by target.observation_id, target.left_out, errors.basis, errors.error_group
),

power_spreads as (
    select
        observation_id,
        left_out,
        basis,
        ln(power_gsd(basis, list(mean_square order by error_group))) as ln_gsd
    from power_groups
    group by observation_id, left_out, basis
),

power as (
    select
        withheld.observation_id,
        withheld.left_out,
        withheld.basis,
        withheld.run_id,
        withheld.hardware_id,
        withheld.measured_watts_per_chip,
        withheld.estimated_watts_per_chip,
        spreads.rung,
        coalesce(own.ln_gsd, spreads.ln_gsd) as ln_gsd
    from core.withheld_power as withheld
    inner join spreads on spreads.factor = 'watts_per_chip' and withheld.basis = spreads.basis
    left join power_spreads as own
        on
            withheld.observation_id = own.observation_id
            and withheld.left_out = own.left_out
            and withheld.basis = own.basis
),

-- The best rung that is left when this draw is withheld, when all draws of its chip are, and when all of its kind are.
best_power as (
    select
        power.observation_id,
        power.left_out,
        levels.withheld,
        power.run_id,
        power.hardware_id,
        power.measured_watts_per_chip,
        power.estimated_watts_per_chip,
        power.ln_gsd
    from power
    inner join (
        values
        ('power', 'measured_'), ('hardware_power', 'measured_ratio'), ('class_power', 'measured_ratio_other_class')
    ) as levels (withheld, rungs)
        on starts_with(power.basis, levels.rungs)
    qualify row_number() over (partition by power.observation_id, power.left_out, levels.withheld order by power.rung) = 1
),

drawn as (
    select *
    from best_power
    where withheld = 'power'
),

-- The draw of a mix has the larger spread of those that the operator did not measure, and that of a bare name, as in core.method.
mix_power as (
    select
        withheld.observation_id,
        coalesce(
            sqrt(pow(max(own.ln_gsd), 2) + pow(any_value(coalesce(variants.ln_gsd, 0)), 2)), any_value(spreads.ln_gsd)
        ) as ln_gsd
    from core.withheld_power as withheld
    left join spreads on spreads.factor = 'watts_per_chip' and spreads.basis = 'hardware_mix'
    left join spreads as variants on variants.factor = 'watts_per_chip' and variants.basis = 'ambiguous_variant'
    left join power_spreads as own
        on
            withheld.observation_id = own.observation_id
            and own.left_out = 'developer'
            and own.basis in ('measured_same_chip_elsewhere', 'measured_ratio_elsewhere')
    group by withheld.observation_id
),

hours_fits as (
    select
        target.observation_id,
        target.left_out,
        target.basis,
        target.run_id,
        target.log_ratio,
        target.own_share_fraction,
        if(target.basis = 'flop_over_throughput', 'chip_hours', 'hardware') as withheld,
        ln(calibrated_gsd(list(other.log_ratio order by other.observation_id))) as own_ln_gsd
    from core.withheld_hours as target
    inner join core.flop_observations as known on target.observation_id = known.observation_id
    inner join core.withheld_hours as other
        on
            target.basis = other.basis
            and other.left_out = if(target.basis = 'flop_by_developer', 'run', 'developer') -- as core.method fits it
            and target.observation_id <> other.observation_id
    inner join core.flop_observations as others
        on
            other.observation_id = others.observation_id
            and (target.left_out = 'run' or not are_related(others.developer, known.developer))
    group by
        target.observation_id, target.left_out, target.basis, target.run_id, target.log_ratio, target.own_share_fraction
),

hours_errors as (
    select
        *,
        no_less(
            own_ln_gsd,
            max(own_ln_gsd) filter (where basis = 'flop_over_throughput') over (partition by observation_id, left_out)
        ) as ln_gsd
    from hours_fits
),

hours as (
    select
        ladder.run_id,
        ladder.value as chip_hours,
        spreads.ln_gsd,
        ladder.source_title,
        ladder.source_url,
        ladder.source_locator
    from core.chip_hours_ladder as ladder
    inner join spreads on spreads.factor = 'chip_hours' and ladder.basis = spreads.basis
    where ladder.basis in ('disclosed', 'chips_x_hours')
    qualify row_number() over (partition by ladder.run_id order by spreads.rung) = 1
),

-- Rungs that rest on a place, but on no fact of the run's own source; means over other runs name the first of many sources.
place_rungs (factor, basis) as (
    values
    ('pue', 'site_quarter'), ('pue', 'site_year'), ('pue', 'provider_year'), ('gross_kg_per_kwh', 'region_year'),
    ('gross_kg_per_kwh', 'region_month'), ('gross_kg_per_kwh', 'country_year'), ('gross_kg_per_kwh', 'country_month')
),

ladders as (
    select
        ladder.run_id,
        'pue' as factor,
        ladder.basis,
        ladder.value,
        ladder.source_url
    from core.pue_ladder as ladder
    union all
    select
        ladder.run_id,
        'gross_kg_per_kwh' as factor,
        ladder.basis,
        ladder.value,
        ladder.source_url
    from core.gross_ladder as ladder
),

known as (
    select
        ladders.run_id,
        ladders.factor,
        ladders.basis,
        ladders.value,
        place_rungs.basis is not null and ladders.source_url = runs.source_url as is_of_own_source
    from ladders
    inner join core.training_runs as runs on ladders.run_id = runs.run_id
    left join place_rungs on ladders.factor = place_rungs.factor and ladders.basis = place_rungs.basis
    union all
    select
        run_id,
        factor,
        basis,
        value,
        false as is_of_own_source
    from core.withheld_places
),

-- A company counts once in the spread of an inferred place, and its own places do not count where it is estimated.
place_companies as (
    select
        factor,
        basis,
        lead_organisation(developer) as company,
        avg(pow(log_ratio, 2) order by run_id) as mean_square
    from core.place_errors
    group by factor, basis, company
),

place_errors as (
    select
        runs.run_id,
        others.factor,
        others.basis,
        ln(
            greatest(
                any_value(rungs.gsd_floor), calibrated_gsd_of_groups(list(others.mean_square order by others.company))
            )
        ) as ln_gsd
    from core.training_runs as runs
    inner join place_companies as others on lead_organisation(runs.developer) <> others.company
    inner join raw.method_rungs as rungs on others.factor = rungs.factor and others.basis = rungs.basis
    group by runs.run_id, others.factor, others.basis
    having count(*) >= 3
),

pues as (
    select
        known.run_id,
        known.value as pue,
        coalesce(errors.ln_gsd, spreads.ln_gsd) as ln_gsd,
        scopes.scope
    from known
    inner join spreads on spreads.factor = 'pue' and known.basis = spreads.basis
    left join place_errors as errors
        on known.run_id = errors.run_id and known.factor = errors.factor and known.basis = errors.basis
    inner join (values ('any'), ('place'), ('none'), ('stranger')) as scopes (scope)
        on
            scopes.scope = 'any'
            or (scopes.scope = 'place' and known.basis <> 'disclosed' and not known.is_of_own_source)
            or (scopes.scope = 'none' and known.basis in ('developer_places', 'training_places', 'industry_year'))
            or (scopes.scope = 'stranger' and known.basis in ('training_places', 'industry_year'))
    where known.factor = 'pue'
    qualify row_number() over (
        partition by known.run_id, scopes.scope order by spreads.rung asc, known.is_of_own_source desc
    ) = 1
),

grids as (
    select
        known.run_id,
        known.value as gross_kg_per_kwh,
        coalesce(errors.ln_gsd, spreads.ln_gsd) as ln_gsd,
        scopes.scope
    from known
    inner join spreads on spreads.factor = 'gross_kg_per_kwh' and known.basis = spreads.basis
    left join place_errors as errors
        on known.run_id = errors.run_id and known.factor = errors.factor and known.basis = errors.basis
    inner join (values ('place'), ('none'), ('stranger')) as scopes (scope)
        on
            (scopes.scope = 'place' and known.basis <> 'disclosed' and not known.is_of_own_source)
            or (scopes.scope = 'none' and known.basis in ('developer_places', 'developer_country_year', 'world_year'))
            or (scopes.scope = 'stranger' and known.basis in ('developer_country_year', 'world_year'))
    where known.factor = 'gross_kg_per_kwh'
    qualify row_number() over (partition by known.run_id, scopes.scope order by spreads.rung) = 1
),

levels as (
    select
        listed.withheld,
        listed.pue_scope,
        listed.grid_scope,
        if(listed.pue_scope = 'none', 'stranger', listed.pue_scope) as stranger_pue,
        if(listed.grid_scope = 'none', 'stranger', listed.grid_scope) as stranger_grid,
        listed.hours_withheld
    from (
        values
        ('power', 'any', 'place', null),
        ('pue', 'place', 'place', null),
        ('chip_hours', 'place', 'place', 'chip_hours'),
        ('hardware', 'place', 'place', 'hardware'),
        ('place', 'none', 'none', 'hardware')
    ) as listed (withheld, pue_scope, grid_scope, hours_withheld)
),

-- Hours of a mix are hours at the draw usual for the chip: of that draw only the chip's share in the mix is estimated.
energies as (
    select
        power.run_id,
        power.left_out,
        levels.withheld,
        if(power.left_out = 'developer', levels.stranger_grid, levels.grid_scope) as grid_scope,
        hours.chip_hours * exp(coalesce(hours_errors.log_ratio, 0)) as estimated_chip_hours,
        exp(
            coalesce(hours_errors.own_share_fraction, 1) * ln(power.estimated_watts_per_chip)
            + if(hours_errors.own_share_fraction < 1, (1 - hours_errors.own_share_fraction) * ln(usual.watts_per_chip), 0)
        ) as used_watts_per_chip,
        estimated_chip_hours * used_watts_per_chip * pues.pue / 1e6 as energy_mwh, -- Wh to MWh
        sqrt(
            pow(if(levels.hours_withheld is null, hours.ln_gsd, hours_errors.ln_gsd), 2)
            + pow(if(levels.hours_withheld = 'hardware', mix_power.ln_gsd, power.ln_gsd), 2)
            + pow(pues.ln_gsd, 2)
        ) as ln_gsd,
        hours.chip_hours,
        power.hardware_id,
        pues.pue
    from drawn as power
    inner join hours on power.run_id = hours.run_id
    inner join mix_power on power.observation_id = mix_power.observation_id
    inner join core.training_runs as runs on power.run_id = runs.run_id
    left join core.chip_power as usual on power.hardware_id = usual.hardware_id
    cross join levels
    inner join pues
        on power.run_id = pues.run_id and if(power.left_out = 'developer', levels.stranger_pue, levels.pue_scope) = pues.scope
    left join hours_errors
        on
            power.run_id = hours_errors.run_id
            and power.left_out = hours_errors.left_out
            and levels.hours_withheld = hours_errors.withheld
    where
        (levels.hours_withheld is null or hours_errors.log_ratio is not null)
        and (levels.withheld = 'power' or runs.covers is distinct from 'hypothetical')
),

many_grids as (
    select country
    from raw.region_map
    where egrid_subregion is not null
),

no_places as (
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
        and (quantity <> 'co2e_t' or run_id not in (select no_places.run_id from no_places))
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
        draws.rival as estimator,
        replace(draws.rival, '_simulated', '') as tool,
        energies.chip_hours * draws.rival_watts_per_chip * coalesce(pues.pue, energies.pue) / 1e6 as energy_mwh -- Wh to MWh
    from energies
    inner join core.rival_draws as draws on energies.hardware_id = draws.hardware_id
    left join rival_pues as pues
        on energies.run_id = pues.run_id and replace(draws.rival, '_simulated', '') = pues.rival
    where energies.withheld = 'power' and energies.left_out = 'run'
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
    where energies.withheld = 'power' and energies.left_out = 'run'
),

truths as (
    select
        'watts_per_chip' as quantity,
        draw_id(hardware_id, system, workload) as truth_id,
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
),

scored as (
    select
        'watts_per_chip' as quantity,
        observation_id as truth_id,
        withheld,
        left_out,
        'ote' as estimator,
        measured_watts_per_chip as truth_value,
        estimated_watts_per_chip as estimate,
        ln_gsd
    from best_power
    union all
    select
        'chip_hours' as quantity,
        errors.observation_id as truth_id,
        errors.withheld,
        errors.left_out,
        'ote' as estimator,
        hours.chip_hours as truth_value,
        hours.chip_hours * exp(errors.log_ratio) as estimate,
        errors.ln_gsd
    from hours_errors as errors
    inner join hours on errors.run_id = hours.run_id
    union all
    select
        'energy_mwh' as quantity,
        energies.run_id as truth_id,
        energies.withheld,
        energies.left_out,
        'ote' as estimator,
        published.value as truth_value,
        energies.energy_mwh as estimate,
        energies.ln_gsd
    from energies
    inner join published on energies.run_id = published.run_id and published.quantity = 'energy_mwh'
    union all
    select
        'co2e_gross_t' as quantity,
        energies.run_id as truth_id,
        energies.withheld,
        energies.left_out,
        'ote' as estimator,
        published.value as truth_value,
        energies.energy_mwh * grids.gross_kg_per_kwh as estimate, -- MWh x kg/kWh is t
        sqrt(pow(energies.ln_gsd, 2) + pow(grids.ln_gsd, 2)) as ln_gsd
    from energies
    inner join grids on energies.run_id = grids.run_id and energies.grid_scope = grids.scope
    inner join published on energies.run_id = published.run_id and published.quantity = 'co2e_t'
    union all
    select
        'watts_per_chip' as quantity,
        power.observation_id as truth_id,
        'power' as withheld,
        'run' as left_out,
        draws.rival as estimator,
        power.measured_watts_per_chip as truth_value,
        draws.rival_watts_per_chip as estimate,
        null as ln_gsd
    from drawn as power
    inner join core.rival_draws as draws on power.hardware_id = draws.hardware_id
    where power.left_out = 'run'
    union all
    select
        'energy_mwh' as quantity,
        rivals.run_id as truth_id,
        'power' as withheld,
        'run' as left_out,
        rivals.estimator,
        published.value as truth_value,
        rivals.energy_mwh as estimate,
        null as ln_gsd
    from rivals
    inner join published on rivals.run_id = published.run_id and published.quantity = 'energy_mwh'
    union all
    select
        'co2e_gross_t' as quantity,
        rivals.run_id as truth_id,
        'power' as withheld,
        'run' as left_out,
        rivals.estimator,
        published.value as truth_value,
        rivals.energy_mwh * grids.gross_kg_per_kwh as estimate, -- MWh x kg/kWh is t
        null as ln_gsd
    from rivals
    inner join rival_grids as grids on rivals.run_id = grids.run_id and rivals.tool = grids.rival
    inner join published on rivals.run_id = published.run_id and published.quantity = 'co2e_t'
)

select
    scored.quantity,
    scored.truth_id,
    scored.withheld,
    scored.left_out,
    scored.estimator,
    scored.truth_value,
    scored.estimate,
    scored.estimate * exp(-1.645 * scored.ln_gsd) as p05,
    scored.estimate * exp(1.645 * scored.ln_gsd) as p95,
    scored.estimate / scored.truth_value as estimate_to_truth_ratio,
    scored.truth_value between p05 and p95 as inside_interval,
    source_id(truths.source_url) as source_id,
    truths.source_title,
    truths.source_url,
    truths.source_locator
from scored
left join truths on scored.quantity = truths.quantity and scored.truth_id = truths.truth_id
