-- Fitted gsd of the bases of water use. One row per factor and basis.
with within_country as (
    select
        calibrated_gsd(
            list(ln(states.grid_water_l_per_kwh / countries.grid_water_l_per_kwh) order by states.region)
        ) as fitted_gsd,
        count(*) as n_observations
    from raw.grid_water as states
    inner join raw.grid_water as countries on states.country = countries.region
    where states.region <> states.country
)

select
    'wue_l_per_kwh' as factor,
    'provider_year' as basis,
    calibrated_gsd(list(ln(sites.wue_l_per_kwh / fleets.wue_l_per_kwh) order by sites.provider, sites.site)) as fitted_gsd,
    count(*) as n_observations
from core.datacenter_pue as sites
inner join core.datacenter_pue as fleets on sites.provider = fleets.provider and sites.period = fleets.period
where fleets.site = 'fleet average' and sites.site <> 'fleet average' and sites.wue_l_per_kwh > 0
union all
select
    'grid_water_l_per_kwh' as factor,
    unnest(['country', 'developer_country']) as basis,
    fitted_gsd,
    n_observations
from within_country
union all
select
    'grid_water_l_per_kwh' as factor,
    'world' as basis,
    exp(
        sqrt(
            pow(
                ln(
                    calibrated_gsd(
                        list(ln(countries.grid_water_l_per_kwh / world.grid_water_l_per_kwh) order by countries.region)
                    )
                ),
                2
            )
            + pow(ln(any_value(within_country.fitted_gsd)), 2)
        )
    ) as fitted_gsd,
    count(*) as n_observations
from raw.grid_water as countries
inner join raw.grid_water as world on world.region = 'WORLD' and countries.region <> 'WORLD'
cross join within_country
where countries.region = countries.country
