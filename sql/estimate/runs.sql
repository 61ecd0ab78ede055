-- The runs of a user, typed, with names resolved. One row per run, numbered as given.
-- `given` holds every cell as text; what cannot be read is null here and a sentence in problems.
-- As in core.training_runs, an unnamed operator of a TPU is Google.
with spellings as (
    select
        spelling_key(spelling) as hardware_key,
        min(hardware_id) as hardware_id,
        bool_or(is_ambiguous) as is_ambiguous
    from (
        select
            alias as spelling,
            hardware_id,
            is_ambiguous
        from hardware_aliases
        union all
        select
            unnest([name, hardware_id]) as spelling,
            hardware_id,
            false as is_ambiguous
        from hardware
    ) as every_spelling
    group by hardware_key
),

-- The words of a name in any order, without its maker's, for spellings such as A100 80GB PCIe. Only where one chip has them.
words as (
    select
        words_key,
        min(hardware_id) as hardware_id
    from (
        select
            hardware_id,
            hardware_words(name) as words_key
        from hardware
        union
        select
            hardware_id,
            hardware_words(alias) as words_key
        from hardware_aliases
        where not is_ambiguous
    ) as named
    group by words_key
    having count(*) = 1
),

operators as (
    select
        spelling_key(alias) as provider_key,
        min(provider) as provider
    from provider_aliases
    group by provider_key
),

country_names as (
    select
        location_key(spelling) as country_key,
        min(country) as country
    from (
        select
            unnest([alias, country, iso3]) as spelling,
            country
        from countries
    ) as every_country
    group by country_key
),

state_names as (
    select
        location_key(spelling) as state_key,
        state,
        country
    from (
        select
            unnest([alias, state, string_split(state, '-')[2]]) as spelling,
            state,
            country
        from states
    ) as every_state
    group by all
),

-- Numbers as computers write them: a point for decimals, no separators; infinities and NaN are no quantities.
-- Frames write whole numbers with a gap among them as 8.0, and a day with its time.
numbers as (
    select
        *,
        if(isfinite(try_cast(training_hours as double)), cast(training_hours as double), null) as typed_hours,
        if(isfinite(try_cast(chip_hours as double)), cast(chip_hours as double), null) as typed_chip_hours,
        if(isfinite(try_cast(training_flop as double)), cast(training_flop as double), null) as typed_flop,
        if(isfinite(try_cast(watts_per_chip as double)), cast(watts_per_chip as double), null) as typed_watts,
        if(isfinite(try_cast(energy_kwh as double)), cast(energy_kwh as double), null) as typed_energy_kwh,
        if(isfinite(try_cast(pue as double)), cast(pue as double), null) as typed_pue,
        if(isfinite(try_cast(carbon_intensity_g_per_kwh as double)), cast(carbon_intensity_g_per_kwh as double), null)
            as typed_g_per_kwh,
        if(regexp_full_match(chips, '\s*[0-9]{1,12}(\.0*)?\s*'), cast(chips as double), null) as typed_chips,
        regexp_replace(trim(started), '[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}(:?\d{2})?)?$', '') as started_day,
        coalesce(try_strptime(started_day, '%Y-%m-%d'), try_strptime(started_day, '%Y-%m')) as typed_start,
        if(regexp_full_match(started, '\s*[0-9]{4}\s*'), cast(started as integer), null) as typed_year
    from given
),

-- Dies, GPUs of a board and cores as the chips that they are parts of; of a slice without a number there is one.
in_chips as (
    select
        numbers.*,
        coalesce(countings.model, numbers.hardware) as counted_hardware,
        coalesce(countings.chips_each, 1) as chips_of_each,
        countings.message as counting,
        coalesce(numbers.typed_chips, if(countings.chips_each >= 1 and numbers.typed_chip_hours is null, 1, null)) * chips_of_each
            as counted_chips,
        numbers.typed_chip_hours * chips_of_each as counted_chip_hours,
        numbers.typed_watts / least(chips_of_each, 1) as counted_watts
    from numbers
    left join countings on numbers.hardware = countings.hardware
)

select
    numbers.row_number,
    numbers.model,
    numbers.hardware,
    coalesce(spellings.hardware_id, words.hardware_id) as hardware_id,
    coalesce(hardware.name, trim(numbers.hardware)) as hardware_name,
    coalesce(spellings.is_ambiguous, false) as is_ambiguous_hardware,
    numbers.counting,
    numbers.counted_chips as chips,
    numbers.typed_hours as training_hours,
    numbers.counted_chip_hours as chip_hours,
    coalesce(numbers.counted_chip_hours, numbers.counted_chips * numbers.typed_hours) as known_chip_hours,
    numbers.typed_flop as training_flop,
    numbers.counted_watts as watts_per_chip,
    numbers.typed_energy_kwh as energy_kwh,
    nullif(trim(numbers.metering), '') as metering,
    numbers.typed_pue as pue,
    numbers.typed_g_per_kwh / 1000 as gross_kg_per_kwh, -- g to kg
    regions.region as cloud_region,
    coalesce(regions.provider, operators.provider, if(hardware.kind = 'tpu', 'Google', null)) as provider,
    coalesce(regions.provider, operators.provider) is null and coalesce(hardware.kind = 'tpu', false)
        as is_assumed_provider,
    coalesce(regions.country, country_names.country, state_names.country) as site_country,
    if(regions.region is null, state_names.state, null) as site_state,
    state_names.state as named_state,
    operators.provider as named_provider,
    country_names.country as named_country,
    numbers.typed_start as started,
    coalesce(year(numbers.typed_start), numbers.typed_year, year(getvariable('today'))) as run_year
from in_chips as numbers
left join spellings on spelling_key(numbers.counted_hardware) = spellings.hardware_key
left join words on hardware_words(numbers.counted_hardware) = words.words_key
left join hardware on coalesce(spellings.hardware_id, words.hardware_id) = hardware.hardware_id
left join operators on spelling_key(numbers.provider) = operators.provider_key
left join regions on lower(trim(numbers.cloud_region)) = lower(regions.region)
left join country_names on location_key(numbers.site_country) = country_names.country_key
left join state_names
    on
        location_key(numbers.site_state) = state_names.state_key
        and (country_names.country is null or country_names.country = state_names.country)
