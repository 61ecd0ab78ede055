-- What the names of runs stand for: one row per combination of cells that `named_cells` holds.
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

-- Dies, GPUs of a board and cores are parts of the chips that they are counted in.
counted as (
    select
        named_cells.*,
        coalesce(countings.model, named_cells.hardware) as counted_hardware,
        countings.chips_each,
        countings.message as counting
    from named_cells
    left join countings on named_cells.hardware = countings.hardware
),

resolved as (
    select
        counted.hardware as given_hardware,
        counted.provider as given_provider,
        counted.cloud_region as given_region,
        counted.site_country as given_country,
        counted.site_state as given_state,
        counted.chips_each,
        counted.counting,
        coalesce(spellings.hardware_id, words.hardware_id) as hardware_id,
        coalesce(hardware.name, if(is_no_name(counted.hardware), null, trim(counted.hardware))) as hardware_name,
        coalesce(spellings.is_ambiguous, false) as is_ambiguous_hardware,
        regions.region as cloud_region,
        coalesce(regions.provider, operators.provider, if(hardware.kind = 'tpu', 'Google', null)) as provider,
        coalesce(regions.provider, operators.provider) is null and coalesce(hardware.kind = 'tpu', false)
            as is_assumed_provider,
        coalesce(regions.country, country_names.country, state_names.country) as site_country,
        if(regions.region is null, state_names.state, null) as site_state,
        state_names.state as named_state,
        operators.provider as named_provider,
        country_names.country as named_country
    from counted
    left join spellings on spelling_key(counted.counted_hardware) = spellings.hardware_key
    left join words on hardware_words(counted.counted_hardware) = words.words_key
    left join hardware on coalesce(spellings.hardware_id, words.hardware_id) = hardware.hardware_id
    left join operators on spelling_key(counted.provider) = operators.provider_key
    left join regions
        on lower(regexp_replace(counted.cloud_region, '\s', '', 'g')) = lower(regexp_replace(regions.region, '\s', '', 'g'))
    left join country_names on location_key(counted.site_country) = country_names.country_key
    left join state_names
        on
            location_key(counted.site_state) = state_names.state_key
            and (country_names.country is null or country_names.country = state_names.country)
)

select
    *,
    row_number() over () as name_no,
    dense_rank() over (order by hardware_id, is_ambiguous_hardware, provider) as power_no,
    dense_rank() over (order by cloud_region, provider, site_state, site_country) as location_no,
    -- The grid whose months are known, if any is.
    if(
        site_country is not null
        and coalesce(cloud_region, site_state, site_country) in (select grid_months.location_id from grid_months),
        coalesce(cloud_region, site_state, site_country),
        null
    ) as month_location_id,
    -- Whether problems.sql may name one of the cells: true for each that it does, and perhaps for others.
    coalesce(
        (given_provider is not null and named_provider is null)
        or (given_region is not null and cloud_region is null)
        or (given_country is not null and named_country is null)
        or (given_state is not null and named_state is null)
        or named_provider <> provider
        or named_country <> site_country
        or (
            cloud_region is null
            and named_country not in (
                select location_factors.location_id
                from location_factors
                where location_factors.basis = 'country_year'
            )
        )
        or chips_each >= 1
        or is_bad_text(given_hardware)
        or is_bad_text(given_provider)
        or is_bad_text(given_region)
        or is_bad_text(given_country)
        or is_bad_text(given_state),
        false
    ) as has_doubtful_name
from resolved
