-- Every published figure beside the estimate of the same run and basis. One row per published figure.
-- Annual market-based figures have no computed counterpart and are left out; hourly net stands against net.
-- A figure outside the interval has the cause that was found by reading its source (disagreement_causes.csv).
-- Nothing is held out here: a run may know its own facts, so this tests arithmetic and scope, not prediction.
select
    published.run_id,
    published.quantity,
    published.basis,
    case
        when published.quantity = 'energy_mwh' then emissions.energy_mwh
        when published.basis = 'net_hourly' then emissions.co2e_net_t
        else emissions.co2e_gross_t
    end as computed_value,
    case
        when published.quantity = 'energy_mwh' then emissions.energy_mwh_p05
        when published.basis = 'net_hourly' then emissions.co2e_net_t_p05
        else emissions.co2e_gross_t_p05
    end as p05,
    case
        when published.quantity = 'energy_mwh' then emissions.energy_mwh_p95
        when published.basis = 'net_hourly' then emissions.co2e_net_t_p95
        else emissions.co2e_gross_t_p95
    end as p95,
    published.value as published_value,
    computed_value / published.value as ratio,
    published.value between p05 and p95 as inside_interval,
    if(inside_interval, null, causes.cause) as cause,
    if(inside_interval, null, causes.cause_reason) as cause_reason,
    'nothing' as held_out,
    published.scope,
    published.derivation,
    published.status,
    published.published_by,
    source_id(published.source_url) as source_id,
    published.source_title,
    published.source_url,
    published.source_locator
from raw.published_footprints as published
inner join out.emissions as emissions on published.run_id = emissions.run_id
left join raw.disagreement_causes as causes
    on
        published.run_id = causes.run_id
        and published.quantity = causes.quantity
        and published.basis = causes.basis
        and published.value = causes.published_value
where
    published.basis <> 'net_annual'
    and emissions.energy_basis = 'computed'
    and published.covers = 'one_run'
    and published.value > 0
    and computed_value is not null
