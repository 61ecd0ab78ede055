-- Energy and gross CO2e of each chosen run in each draw. One row per run and draw.
-- `chosen` holds the runs, `drawn` the numbers of the draws, `normal_draws` one list: the quantiles of the standard normal
-- distribution in n equal parts.
-- Each error takes its quantiles in its own order, that of a rank-1 lattice: rank = (a x draw + b) modulo n, with n prime and a
-- and b from the md5 of seed and name. So errors are as good as independent, runs that share an error share its quantile,
-- and every machine draws the same.
with loads as (
    select
        loads.run_id,
        loads.factor,
        loads.ln_gsd,
        row_number() over (partition by loads.run_id, loads.factor order by loads.error_id) as place,
        md5_number(cast(getvariable('seed') as varchar) || ':' || loads.error_id) as digest,
        cast(digest % (getvariable('n') - 1) + 1 as integer) as a,
        cast(digest // getvariable('n') % getvariable('n') as integer) as b
    from error_loads as loads
    inner join chosen on loads.run_id = chosen.run_id
),

errors as (
    select
        run_id,
        a,
        b,
        ln_gsd,
        case when factor = 'energy_mwh' then 'chip_hours' else factor end || place as slot
    from loads
),

slots as (
    select
        run_id,
        max(a) filter (where slot = 'chip_hours1') as hours_a1,
        max(b) filter (where slot = 'chip_hours1') as hours_b1,
        max(ln_gsd) filter (where slot = 'chip_hours1') as hours_w1,
        max(a) filter (where slot = 'chip_hours2') as hours_a2,
        max(b) filter (where slot = 'chip_hours2') as hours_b2,
        max(ln_gsd) filter (where slot = 'chip_hours2') as hours_w2,
        max(a) filter (where slot = 'chip_hours3') as hours_a3,
        max(b) filter (where slot = 'chip_hours3') as hours_b3,
        max(ln_gsd) filter (where slot = 'chip_hours3') as hours_w3,
        max(a) filter (where slot = 'chip_hours4') as hours_a4,
        max(b) filter (where slot = 'chip_hours4') as hours_b4,
        max(ln_gsd) filter (where slot = 'chip_hours4') as hours_w4,
        max(a) filter (where slot = 'watts_per_chip1') as watts_a1,
        max(b) filter (where slot = 'watts_per_chip1') as watts_b1,
        max(ln_gsd) filter (where slot = 'watts_per_chip1') as watts_w1,
        max(a) filter (where slot = 'watts_per_chip2') as watts_a2,
        max(b) filter (where slot = 'watts_per_chip2') as watts_b2,
        max(ln_gsd) filter (where slot = 'watts_per_chip2') as watts_w2,
        max(a) filter (where slot = 'watts_per_chip3') as watts_a3,
        max(b) filter (where slot = 'watts_per_chip3') as watts_b3,
        max(ln_gsd) filter (where slot = 'watts_per_chip3') as watts_w3,
        max(a) filter (where slot = 'pue1') as pue_a1,
        max(b) filter (where slot = 'pue1') as pue_b1,
        max(ln_gsd) filter (where slot = 'pue1') as pue_w1,
        max(a) filter (where slot = 'pue2') as pue_a2,
        max(b) filter (where slot = 'pue2') as pue_b2,
        max(ln_gsd) filter (where slot = 'pue2') as pue_w2,
        max(a) filter (where slot = 'pue3') as pue_a3,
        max(b) filter (where slot = 'pue3') as pue_b3,
        max(ln_gsd) filter (where slot = 'pue3') as pue_w3,
        max(a) filter (where slot = 'gross_kg_per_kwh1') as gross_a1,
        max(b) filter (where slot = 'gross_kg_per_kwh1') as gross_b1,
        max(ln_gsd) filter (where slot = 'gross_kg_per_kwh1') as gross_w1,
        max(a) filter (where slot = 'gross_kg_per_kwh2') as gross_a2,
        max(b) filter (where slot = 'gross_kg_per_kwh2') as gross_b2,
        max(ln_gsd) filter (where slot = 'gross_kg_per_kwh2') as gross_w2,
        max(a) filter (where slot = 'gross_kg_per_kwh3') as gross_a3,
        max(b) filter (where slot = 'gross_kg_per_kwh3') as gross_b3,
        max(ln_gsd) filter (where slot = 'gross_kg_per_kwh3') as gross_w3
    from errors
    group by run_id
),

runs as (
    select
        slots.*,
        runs.energy_mwh,
        runs.gross_kg_per_kwh,
        if(runs.energy_basis = 'computed', runs.pue, 1) as pue,
        hours.below_bound_fraction,
        ln(hours.gsd) as hours_ln_gsd,
        ln(hours.unbounded_value / hours.value) as unbounded_ln
    from emissions as runs
    inner join slots on runs.run_id = slots.run_id
    left join emission_factors as hours
        on runs.run_id = hours.run_id and hours.factor = 'chip_hours' and hours.upper_bound is not null
),

draws as (
    select
        runs.run_id,
        draws.draw,
        runs.energy_mwh,
        runs.gross_kg_per_kwh,
        runs.pue,
        runs.below_bound_fraction,
        runs.hours_ln_gsd,
        runs.unbounded_ln,
        load_at(runs.hours_a1, runs.hours_b1, runs.hours_w1, draws.draw, normal.z)
        + load_at(runs.hours_a2, runs.hours_b2, runs.hours_w2, draws.draw, normal.z)
        + load_at(runs.hours_a3, runs.hours_b3, runs.hours_w3, draws.draw, normal.z)
        + load_at(runs.hours_a4, runs.hours_b4, runs.hours_w4, draws.draw, normal.z) as hours_ln,
        load_at(runs.watts_a1, runs.watts_b1, runs.watts_w1, draws.draw, normal.z)
        + load_at(runs.watts_a2, runs.watts_b2, runs.watts_w2, draws.draw, normal.z)
        + load_at(runs.watts_a3, runs.watts_b3, runs.watts_w3, draws.draw, normal.z) as watts_ln,
        load_at(runs.pue_a1, runs.pue_b1, runs.pue_w1, draws.draw, normal.z)
        + load_at(runs.pue_a2, runs.pue_b2, runs.pue_w2, draws.draw, normal.z)
        + load_at(runs.pue_a3, runs.pue_b3, runs.pue_w3, draws.draw, normal.z) as pue_ln,
        load_at(runs.gross_a1, runs.gross_b1, runs.gross_w1, draws.draw, normal.z)
        + load_at(runs.gross_a2, runs.gross_b2, runs.gross_w2, draws.draw, normal.z)
        + load_at(runs.gross_a3, runs.gross_b3, runs.gross_w3, draws.draw, normal.z) as gross_ln
    from runs
    cross join drawn as draws
    cross join normal_draws as normal
),

-- Where hours are cut off, the draw keeps its place below the bound: what runs share, they still share.
fractions as (
    select
        *,
        if(below_bound_fraction is null, null, below_bound_fraction * normal_below(hours_ln / hours_ln_gsd)) as hours_fraction
    from draws
),

formula as (
    select
        run_id,
        draw,
        if(hours_fraction is null, hours_ln, hours_ln_gsd * normal_quantile(hours_fraction) + unbounded_ln) as used_hours_ln,
        energy_mwh * exp(used_hours_ln + watts_ln) * (1 + (pue - 1) * exp(pue_ln)) / pue as energy_mwh,
        gross_kg_per_kwh * exp(gross_ln) as gross_kg_per_kwh
    from fractions
)

select
    run_id,
    cast(draw as integer) as draw,
    energy_mwh,
    energy_mwh * gross_kg_per_kwh as co2e_gross_t -- MWh x kg/kWh is t
from formula
