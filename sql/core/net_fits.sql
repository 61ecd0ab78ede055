-- Fitted gsd of the bases of net intensity. One row per basis.
-- Errors grow with the share that the operator's supply replaces, so the gsd is that of a location where it replaces everything.
-- Each location counts once; its intensities of another year than its supply count with the others.
with net_locations as (
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
)

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
