-- Energy of training against the quality of the model. One row per run and benchmark, with the run's best published score.
-- Only whole runs of which the energy is not a guess: a fine-tuning run has the quality of the model that it began from.
-- A run is on the frontier if no run with at least its score used less energy, by the central values. It is clearly beaten
-- if one with at least its score used less energy even by the near ends of both 90 % intervals.
with best as (
    select
        run_id,
        benchmark,
        max(score) as score
    from raw.capability_scores
    group by run_id, benchmark
),

points as (
    select
        best.run_id,
        best.benchmark,
        best.score,
        emissions.published_date,
        emissions.energy_mwh,
        emissions.energy_mwh_p05,
        emissions.energy_mwh_p95
    from best
    inner join out.emissions as emissions on best.run_id = emissions.run_id
    where
        emissions.covers = 'one_run'
        and emissions.solidity <> 'guessed'
        and emissions.energy_shared_with is null
)

select
    points.run_id,
    points.benchmark,
    points.score,
    points.published_date,
    points.energy_mwh,
    points.energy_mwh_p05,
    points.energy_mwh_p95,
    bool_and(
        points.energy_mwh < others.energy_mwh or points.energy_mwh = others.energy_mwh and points.score >= others.score
    ) filter (where others.score >= points.score and others.run_id <> points.run_id) is not false as is_on_frontier,
    bool_or(others.energy_mwh_p95 < points.energy_mwh_p05) filter (where others.score >= points.score) as is_clearly_beaten
from points
inner join points as others on points.benchmark = others.benchmark
group by
    points.run_id,
    points.benchmark,
    points.score,
    points.published_date,
    points.energy_mwh,
    points.energy_mwh_p05,
    points.energy_mwh_p95
