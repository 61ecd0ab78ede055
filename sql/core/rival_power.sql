-- What each rival assumes of a chip's power and of PUE, from its own published factors. One row per rival and accelerator.
-- Meters (codecarbon, carbontracker, eco2ai, experiment_impact_tracker) measure the power and assume only PUE: no power here.
with factors as (
    select
        rival,
        quantity,
        hardware_id,
        value
    from raw.rival_factors
    where applies_to = 'default'
),

rivals (rival) as (
    values
    ('tdp_x_pue'), ('ml_co2_impact'), ('green_algorithms'), ('carbontracker_simulated'), ('epoch')
),

epoch as (
    select value as power_overhead_ratio
    from factors
    where rival = 'epoch' and quantity = 'power_overhead_ratio' and hardware_id is null
),

simulated as (
    select value as utilisation_ratio
    from factors
    where rival = 'carbontracker' and quantity = 'utilisation_ratio'
)

select
    rivals.rival,
    hardware.hardware_id,
    case rivals.rival
        when 'tdp_x_pue' then hardware.tdp_w
        when 'epoch' then hardware.tdp_w * epoch.power_overhead_ratio
        when 'carbontracker_simulated' then hardware.tdp_w * simulated.utilisation_ratio
        else own.value
    end as rival_watts_per_chip
from rivals
cross join core.hardware as hardware
cross join epoch
cross join simulated
left join factors as own
    on
        rivals.rival = own.rival
        and own.quantity = 'watts_per_chip'
        and hardware.hardware_id = own.hardware_id
where
    case
        when rivals.rival in ('ml_co2_impact', 'green_algorithms') then own.value is not null
        else hardware.tdp_w is not null
    end
