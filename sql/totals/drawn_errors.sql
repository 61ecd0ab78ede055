-- What the draws of each chosen run are made of: its values, its bound, and the errors of each factor in their order. One row per
-- run.
-- Each error takes the quantiles of the normal distribution in its own order, that of a rank-1 lattice: rank = (a x draw + b)
-- modulo n, with n prime and a and b from the md5 of seed and name. So errors are as good as independent, runs that share an
-- error share its quantile, and every machine draws the same.
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
        max(ln_gsd) filter (where slot = 'gross_kg_per_kwh3') as gross_w3,
        max(a) filter (where slot = 'lifecycle_kg_per_kwh1') as lifecycle_a1,
        max(b) filter (where slot = 'lifecycle_kg_per_kwh1') as lifecycle_b1,
        max(ln_gsd) filter (where slot = 'lifecycle_kg_per_kwh1') as lifecycle_w1,
        max(a) filter (where slot = 'lifecycle_kg_per_kwh2') as lifecycle_a2,
        max(b) filter (where slot = 'lifecycle_kg_per_kwh2') as lifecycle_b2,
        max(ln_gsd) filter (where slot = 'lifecycle_kg_per_kwh2') as lifecycle_w2,
        max(a) filter (where slot = 'lifecycle_kg_per_kwh3') as lifecycle_a3,
        max(b) filter (where slot = 'lifecycle_kg_per_kwh3') as lifecycle_b3,
        max(ln_gsd) filter (where slot = 'lifecycle_kg_per_kwh3') as lifecycle_w3
    from errors
    group by run_id
)

select
    slots.*,
    runs.energy_mwh,
    runs.gross_kg_per_kwh,
    runs.co2e_lifecycle_t / runs.energy_mwh as lifecycle_kg_per_kwh, -- t/MWh is kg/kWh
    if(runs.energy_basis = 'computed', runs.pue, 1) as pue,
    hours.below_bound_fraction,
    ln(hours.gsd) as hours_ln_gsd,
    ln(hours.unbounded_value / hours.value) as unbounded_ln
from emissions as runs
inner join slots on runs.run_id = slots.run_id
left join emission_factors as hours
    on runs.run_id = hours.run_id and hours.factor = 'chip_hours' and hours.upper_bound is not null
