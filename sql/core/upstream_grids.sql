-- Grid figures of Google, Our World in Data and the US EPA, in one form. One row per scheme, region, year and basis.
select
    'google_cloud' as scheme,
    google.region,
    coalesce(nullif(google.location, 'N/A'), regions.location, google.region) as location,
    regions.country,
    google.year,
    google.cfe_fraction,
    if(google.cfe_fraction is null, null, 'provider_hourly') as cfe_basis,
    google.carbon_intensity_g_per_kwh,
    google.intensity_basis,
    'co2e' as gas,
    'google_region_carbon' as source,
    google.year || '.csv, ' || google.region as source_locator
from raw.google_region_carbon as google
left join raw.regions as regions on google.region = regions.region
union all
select
    'country' as scheme,
    countries.country as region,
    owid.entity as location,
    countries.country,
    owid.year,
    owid.renewables_fraction + owid.nuclear_twh / nullif(owid.generation_twh, 0) as cfe_fraction,
    if(cfe_fraction is null, null, 'grid_low_carbon_share') as cfe_basis,
    owid.carbon_intensity_g_per_kwh,
    'lifecycle' as intensity_basis,
    'co2e' as gas,
    'owid_electricity' as source,
    owid.entity || ', ' || owid.year as source_locator
from raw.owid_electricity as owid
inner join raw.countries as countries on owid.entity = countries.alias
where owid.carbon_intensity_g_per_kwh is not null
union all
select
    'country' as scheme,
    'WORLD' as region,
    entity as location,
    cast(null as varchar) as country,
    year,
    renewables_fraction + nuclear_twh / nullif(generation_twh, 0) as cfe_fraction,
    if(cfe_fraction is null, null, 'grid_low_carbon_share') as cfe_basis,
    carbon_intensity_g_per_kwh,
    'lifecycle' as intensity_basis,
    'co2e' as gas,
    'owid_electricity' as source,
    entity || ', ' || year as source_locator
from raw.owid_electricity
where entity = 'World' and carbon_intensity_g_per_kwh is not null
union all
select
    if(egrid.region = 'US', 'country', 'us_egrid_subregion') as scheme, -- the national row is a country on direct basis
    egrid.region,
    egrid.location,
    'US' as country,
    egrid.year,
    egrid.nuclear_fraction + egrid.hydro_fraction + egrid.biomass_fraction + egrid.wind_fraction
    + egrid.solar_fraction + egrid.geothermal_fraction as cfe_fraction,
    'grid_low_carbon_share' as cfe_basis,
    coalesce(egrid.co2e_lb_per_mwh, egrid.co2_lb_per_mwh) * 0.45359237 as carbon_intensity_g_per_kwh, -- lb/MWh to g/kWh
    'direct' as intensity_basis,
    if(egrid.co2e_lb_per_mwh is null, 'co2', 'co2e') as gas,
    'epa_egrid' as source,
    egrid.region || ', ' || egrid.year as source_locator
from raw.epa_egrid as egrid
