-- The one published energy and the one published CO2e that stand beside each run's computed total.
-- Whole systems before accelerators alone, the developer before others; never a part, a family, a superseded figure.
with eligible as (
    select
        run_id,
        quantity,
        basis,
        value,
        scope,
        source_url,
        row_number() over (
            partition by run_id, quantity
            order by
                scope <> 'servers_x_pue',
                published_by <> 'developer',
                basis <> 'gross_location',
                source_url,
                value
        ) as preference
    from raw.published_footprints
    where
        covers = 'one_run'
        and status = 'published'
        and scope <> 'lifecycle'
        and basis in ('gross_location', 'unspecified')
)

select
    run_id,
    max(value) filter (where quantity = 'energy_mwh') as reported_energy_mwh,
    max(scope) filter (where quantity = 'energy_mwh') as reported_energy_scope,
    max(value) filter (where quantity = 'co2e_t') as reported_co2e_t
from eligible
where preference = 1
group by run_id
