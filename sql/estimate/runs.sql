-- The runs of a user, typed, with names resolved. One row per run, numbered as given.
-- `given` holds every cell, as text or as a number; what cannot be read is null here and a sentence in problems.
with numbers as (
    select
        *,
        number_of(training_hours) as typed_hours,
        number_of(chip_hours) as typed_chip_hours,
        number_of(training_flop) as typed_flop,
        number_of(watts_per_chip) as typed_watts,
        number_of(energy_kwh) as typed_energy_kwh,
        number_of(pue) as typed_pue,
        number_of(carbon_intensity_g_per_kwh) as typed_g_per_kwh,
        number_of(cfe_fraction) as typed_cfe_fraction,
        number_of(market_g_per_kwh) as typed_market_g_per_kwh,
        whole_number_of(chips) as typed_chips
    from given
),

-- Of a slice without a number there is one.
in_chips as (
    select
        numbers.*,
        names.name_no,
        names.power_no,
        names.location_no,
        names.month_location_id,
        names.has_doubtful_name,
        names.hardware_id,
        names.hardware_name,
        names.is_ambiguous_hardware,
        names.counting,
        names.is_assumed_provider,
        names.named_provider,
        names.named_country,
        names.named_state,
        names.provider as used_provider,
        names.cloud_region as used_region,
        names.site_country as used_country,
        names.site_state as used_state,
        starts.*,
        coalesce(names.chips_each, 1) as chips_of_each,
        coalesce(numbers.typed_chips, if(names.chips_each >= 1 and numbers.typed_chip_hours is null, 1, null)) * chips_of_each
            as counted_chips,
        numbers.typed_chip_hours * chips_of_each as counted_chip_hours,
        numbers.typed_watts / least(chips_of_each, 1) as counted_watts,
        coalesce(numbers.typed_hours, counted_chip_hours / counted_chips, 0) as hours_long
    from numbers
    inner join names
        on
            numbers.hardware is not distinct from names.given_hardware
            and numbers.provider is not distinct from names.given_provider
            and numbers.cloud_region is not distinct from names.given_region
            and numbers.site_country is not distinct from names.given_country
            and numbers.site_state is not distinct from names.given_state
    inner join starts on numbers.started is not distinct from starts.given_start
)

select
    row_number,
    model,
    hardware,
    hardware_id,
    hardware_name,
    is_ambiguous_hardware,
    counting,
    counted_chips as chips,
    typed_hours as training_hours,
    counted_chip_hours as chip_hours,
    coalesce(counted_chip_hours, counted_chips * typed_hours) as known_chip_hours,
    typed_flop as training_flop,
    counted_watts as watts_per_chip,
    typed_energy_kwh as energy_kwh,
    nullif(trim(metering), '') as metering,
    typed_pue as pue,
    typed_g_per_kwh / 1000 as gross_kg_per_kwh, -- g to kg
    if(typed_g_per_kwh is null, null, 'disclosed') as gross_basis,
    typed_cfe_fraction as cfe_fraction,
    typed_market_g_per_kwh / 1000 as market_kg_per_kwh, -- g to kg
    used_region as cloud_region,
    used_provider as provider,
    is_assumed_provider,
    used_country as site_country,
    used_state as site_state,
    named_state,
    named_provider,
    named_country,
    given_start,
    typed_start as started,
    hours_long,
    run_year,
    power_no,
    location_no,
    period_no,
    -- In how many months the run was, where the intensity of its grid in each of them may be known; else 0.
    if(
        month_location_id is null or first_month is null,
        0,
        date_diff(
            'month', typed_start, typed_start + to_hours(cast(if(hours_long between 0 and 1e6, hours_long, 0) as bigint))
        ) + 1
    ) as month_count,
    name_no,
    has_doubtful_name or is_doubtful_start as has_doubtful_cell,
    is_doubtful_number(training_hours, typed_hours)
    or is_doubtful_number(chip_hours, typed_chip_hours)
    or is_doubtful_number(training_flop, typed_flop)
    or is_doubtful_number(watts_per_chip, typed_watts)
    or is_doubtful_number(energy_kwh, typed_energy_kwh)
    or is_doubtful_number(pue, typed_pue)
    or is_doubtful_number(carbon_intensity_g_per_kwh, typed_g_per_kwh)
    or is_doubtful_number(cfe_fraction, typed_cfe_fraction)
    or is_doubtful_number(market_g_per_kwh, typed_market_g_per_kwh)
    or is_doubtful_number(chips, typed_chips) as has_doubtful_number
from in_chips
