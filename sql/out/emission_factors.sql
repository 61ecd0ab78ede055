-- The five factors of each run, each from the best basis that the facts allow. One row per run and factor.
-- A bare chip name widens the power factor, another year the PUE; net carries the uncertainty of the gross it was derived from.
-- Of a mix of accelerators, hours from FLOP carry the uncertainty; where hours are known, the power does. Hours from FLOP that
-- were not counted from the model, or not with confidence, carry the uncertainty of the FLOP as well: their bases are fitted on
-- FLOP that were.
with best as (
    select
        candidates.run_id,
        candidates.factor,
        candidates.value,
        method.gsd as basis_gsd,
        method.solidity,
        candidates.basis,
        candidates.intensity_basis,
        candidates.supplied_fraction,
        candidates.rounding_ln_gsd,
        candidates.mix_ln_variance,
        candidates.apart_years,
        candidates.factor_year,
        candidates.source_title,
        candidates.source_url,
        candidates.source_locator,
        candidates.verified
    from core.factor_candidates as candidates
    inner join core.method as method on candidates.factor = method.factor and candidates.basis = method.basis
    qualify row_number() over (partition by candidates.run_id, candidates.factor order by method.fallback_rank) = 1
),

mixes as (
    select
        mix.run_id,
        sum(mix.share_fraction order by mix.hardware_id) as shares,
        sum(mix.share_fraction * ln(power.watts_per_chip) order by mix.hardware_id) / shares as mean_ln_watts,
        sum(mix.share_fraction * pow(ln(power.watts_per_chip), 2) order by mix.hardware_id) / shares
        - pow(mean_ln_watts, 2) as ln_variance
    from core.hardware_mix as mix
    inner join core.chip_power as power on mix.hardware_id = power.hardware_id
    group by mix.run_id
),

widenings as (
    select
        best.run_id,
        gross_ln_variance(
            best.basis, widening.mix_ln_variance, widening.start_ln_variance, widening.onsite_ln_variance
        ) as ln_variance,
        gross_ln_variance(best.basis, 0, widening.start_ln_variance, widening.onsite_ln_variance) as one_location_ln_variance,
        '; ' || replace(widening.generation, '_', ' ')
        || 's at the site supply an unknown share, whose intensity is not published' as remark
    from best
    inner join core.gross_uncertainty as widening on best.run_id = widening.run_id
    where best.factor = 'gross_kg_per_kwh'
),

variant as (
    select gsd
    from core.method
    where factor = 'watts_per_chip' and basis = 'ambiguous_variant'
),

other_year as (
    select gsd
    from core.method
    where factor = 'net_kg_per_kwh' and basis = 'supply_other_year'
),

factors as (
    select
        best.run_id,
        best.factor,
        best.value,
        case
            when
                best.factor = 'watts_per_chip'
                and best.basis not in ('disclosed_measured', 'hardware_mix')
                and runs.is_ambiguous_hardware
                then exp(sqrt(pow(ln(best.basis_gsd), 2) + pow(ln(variant.gsd), 2)))
            when best.factor = 'watts_per_chip' and best.basis = 'hardware_mix' and hours.basis not like 'flop_%'
                then exp(sqrt(pow(ln(best.basis_gsd), 2) + mixes.ln_variance))
            when flop.gsd is not null then exp(sqrt(pow(ln(best.basis_gsd), 2) + pow(ln(flop.gsd), 2)))
            when best.factor = 'net_kg_per_kwh' and best.basis <> 'disclosed'
                then
                    exp(
                        sqrt(
                            pow(ln(gross.basis_gsd), 2)
                            + if(best.basis = 'operator_locations', widenings.one_location_ln_variance, widenings.ln_variance)
                            + best.mix_ln_variance
                            + net_ln_variance(
                                best.supplied_fraction,
                                best.rounding_ln_gsd,
                                best.apart_years,
                                best.basis_gsd,
                                other_year.gsd
                            )
                        )
                    )
            when best.factor = 'gross_kg_per_kwh'
                then exp(sqrt(pow(ln(best.basis_gsd), 2) + widenings.ln_variance))
            when best.factor = 'pue'
                then
                    exp(
                        sqrt(
                            pow(ln(best.basis_gsd), 2)
                            + pue_ln_variance(best.basis, abs(best.factor_year - runs.run_year), ln(year_change.gsd))
                        )
                    )
            else best.basis_gsd
        end as gsd,
        best.basis,
        best.solidity,
        flop.basis as flop_confidence,
        best.intensity_basis,
        best.factor_year,
        best.factor_year <> runs.run_year as is_other_year,
        source_id(best.source_url) as source_id,
        best.source_title,
        best.source_url,
        best.source_locator || if(best.factor = 'gross_kg_per_kwh', coalesce(widenings.remark, ''), '') as source_locator,
        best.verified
    from best
    inner join core.training_runs as runs on best.run_id = runs.run_id
    left join widenings on best.run_id = widenings.run_id
    left join best as gross on best.run_id = gross.run_id and gross.factor = 'gross_kg_per_kwh'
    left join other_year on best.factor = 'net_kg_per_kwh'
    left join best as hours on best.run_id = hours.run_id and hours.factor = 'chip_hours'
    left join mixes on best.run_id = mixes.run_id
    left join core.method as flop
        on
            flop.factor = 'training_flop'
            and runs.flop_confidence = flop.basis
            and best.factor = 'chip_hours'
            and best.basis like 'flop_%'
    left join core.method as year_change
        on best.factor = 'pue' and year_change.factor = 'pue' and year_change.basis = 'other_year'
    cross join variant
),

-- Hours that nobody published are cut off where the energy would be more than the run can have used. What a run used in fact was
-- possible, so the part of the distribution below the bound is the distribution. Parts below 1 in 1,000 are not cut off.
bounded_hours as (
    select
        hours.run_id,
        bounds.bound_mwh * 1e6 / (watts.value * pues.value) as upper_bound, -- MWh to Wh
        ln(upper_bound / hours.value) / ln(hours.gsd) as bound_z,
        normal_below(bound_z) as below_bound_fraction
    from factors as hours
    inner join factors as watts on hours.run_id = watts.run_id and watts.factor = 'watts_per_chip'
    inner join factors as pues on hours.run_id = pues.run_id and pues.factor = 'pue'
    inner join core.capacity_bounds as bounds on hours.run_id = bounds.run_id
    where
        hours.factor = 'chip_hours'
        and hours.basis not in ('disclosed', 'chips_x_hours')
        and is_cut_off(below_bound_fraction)
),

ends as (
    select
        run_id,
        unnest(['p05', 'value', 'p95']) as name,
        unnest([0.05, 0.5, 0.95]) * below_bound_fraction as fraction
    from bounded_hours
),

quantiles as (
    select
        run_id,
        max(normal_quantile(fraction)) filter (where name = 'p05') as p05_z,
        max(normal_quantile(fraction)) filter (where name = 'value') as value_z,
        max(normal_quantile(fraction)) filter (where name = 'p95') as p95_z
    from ends
    group by run_id
),

distributions as (
    select
        factors.*,
        factors.value as lognormal_value,
        lower_bound_of(factors.factor) as lower_bound,
        bounded.upper_bound,
        bounded.below_bound_fraction,
        bounded.bound_z,
        ln(factors.gsd) as ln_gsd,
        factors.value - lower_bound as above_lower_bound,
        coalesce(quantiles.p05_z, -z_90()) as p05_z,
        coalesce(quantiles.value_z, 0) as value_z,
        coalesce(quantiles.p95_z, z_90()) as p95_z
    from factors
    left join bounded_hours as bounded on factors.run_id = bounded.run_id and factors.factor = 'chip_hours'
    left join quantiles on factors.run_id = quantiles.run_id and factors.factor = 'chip_hours'
)

select
    run_id,
    factor,
    lower_bound + above_lower_bound * exp(ln_gsd * value_z) as value,
    gsd,
    case
        when upper_bound is not null then 'bounded_lognormal'
        when lower_bound = 0 then 'lognormal'
        else 'one_plus_lognormal'
    end as distribution,
    lower_bound,
    upper_bound,
    below_bound_fraction,
    if(upper_bound is null, null, lognormal_value) as unbounded_value,
    lower_bound + above_lower_bound * exp(ln_gsd * p05_z) as p05,
    lower_bound + above_lower_bound * exp(ln_gsd * p95_z) as p95,
    lower_bound
    + above_lower_bound
    * exp(pow(ln_gsd, 2) / 2)
    * if(upper_bound is null, 1, normal_below(bound_z - ln_gsd) / below_bound_fraction) as mean,
    basis,
    solidity_of(solidity, ln(p95 / p05)) as solidity,
    flop_confidence,
    intensity_basis,
    factor_year,
    is_other_year,
    source_id,
    source_title,
    source_url,
    source_locator,
    verified
from distributions
