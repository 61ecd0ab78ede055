-- Energy, gross and life-cycle CO2e of each run of `drawn_errors` in each draw. One row per run and draw.
-- `drawn` holds the numbers of the draws, `normal_draws` one list: the quantiles of the standard normal distribution in n equal
-- parts. `ote total` runs it; for the tables of all groups, NumPy computes the same draws in a third of the time (sums.py).
with draws as (
    select
        runs.run_id,
        draws.draw,
        runs.energy_mwh,
        runs.gross_kg_per_kwh,
        runs.lifecycle_kg_per_kwh,
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
        + load_at(runs.gross_a3, runs.gross_b3, runs.gross_w3, draws.draw, normal.z) as gross_ln,
        load_at(runs.lifecycle_a1, runs.lifecycle_b1, runs.lifecycle_w1, draws.draw, normal.z)
        + load_at(runs.lifecycle_a2, runs.lifecycle_b2, runs.lifecycle_w2, draws.draw, normal.z)
        + load_at(runs.lifecycle_a3, runs.lifecycle_b3, runs.lifecycle_w3, draws.draw, normal.z) as lifecycle_ln
    from drawn_errors as runs
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
        gross_kg_per_kwh * exp(gross_ln) as gross_kg_per_kwh,
        lifecycle_kg_per_kwh * exp(lifecycle_ln) as lifecycle_kg_per_kwh
    from fractions
)

select
    run_id,
    cast(draw as integer) as draw,
    energy_mwh,
    energy_mwh * gross_kg_per_kwh as co2e_gross_t, -- MWh x kg/kWh is t
    energy_mwh * lifecycle_kg_per_kwh as co2e_lifecycle_t
from formula
