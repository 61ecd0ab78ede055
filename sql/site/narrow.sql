-- For each factor: the runs in which it is the largest part of the uncertainty of the energy or tonnes, and how wide
-- their intervals are (factor around the estimate), now and if this factor were known as well as the best basis knows it.
with best as (
    select
        factor,
        min(gsd) as gsd
    from method
    where basis in ('disclosed', 'chips_x_hours', 'disclosed_measured')
    group by factor
),

parts as (
    select
        f.run_id,
        f.factor,
        least(f.gsd, b.gsd) ** 1.6448536269514722 as known_ratio,
        f.lower_bound + (f.value - f.lower_bound) / known_ratio as known_p05,
        f.lower_bound + (f.value - f.lower_bound) * known_ratio as known_p95,
        (ln(f.p95 / f.p05) / 2 / 1.6448536269514722) ** 2 as now,
        least(now, (ln(known_p95 / known_p05) / 2 / 1.6448536269514722) ** 2) as known
    from emission_factors as f
    inner join emissions as e on f.run_id = e.run_id
    inner join best as b on f.factor = b.factor
    where f.value > 0 and f.factor in ('chip_hours', 'watts_per_chip', 'pue', 'gross_kg_per_kwh')
),

runs as (
    select
        *,
        sum(now) over (partition by run_id) as total
    from parts
    qualify row_number() over (partition by run_id order by now desc, factor asc) = 1
)

select
    factor,
    count(*) as runs,
    median(exp(1.6448536269514722 * sqrt(total))) as width_now,
    median(exp(1.6448536269514722 * sqrt(total - now + known))) as width_known
from runs
group by factor
order by runs desc, factor asc
