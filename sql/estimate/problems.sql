-- What is wrong with a user's runs. One row per run and problem: the column, and what was expected instead.
-- `given` holds the cells as text, `runs` what was read of them.
with cells as ( -- every column that is not text holds a number, so a new one cannot be forgotten here
    unpivot (
        select
            * exclude (
                model, hardware, metering, provider, cloud_region, site_country, site_state, started
            )
        from given
    )
    on columns(* exclude (row_number))
    into name column_name value cell
),

unread as (
    select
        row_number,
        column_name,
        '''' || cell || ''': '
        || case
            when trim(cell) = '' then 'empty; leave it out, or give a number'
            when regexp_full_match(cell, '\s*[0-9.]*[0-9],[0-9]+\s*')
                then 'a comma; write decimals with a point, and thousands without a separator'
            when regexp_full_match(cell, '\s*[0-9.]+\s*%\s*')
                then
                    'a percentage; expected '
                    || case column_name
                        when 'pue' then 'a ratio such as 1.1'
                        when 'cfe_fraction' then 'a share from 0 to 1, such as 0.9'
                        else 'a number in its own unit'
                    end
            when column_name = 'chips' then 'expected a whole number of accelerators, such as 512'
            else
                'expected a number'
                || case column_name
                    when 'training_hours' then ' of hours, such as 300'
                    when 'chip_hours' then ' of accelerator-hours, such as 153600'
                    when 'training_flop' then ' of operations, such as 3e23'
                    when 'watts_per_chip' then ' of watts, such as 700'
                    when 'energy_kwh' then ' of kilowatt-hours, such as 1500'
                    when 'carbon_intensity_g_per_kwh' then ' of g CO2e per kWh, such as 380'
                    when 'market_g_per_kwh' then ' of g CO2e per kWh, such as 20'
                    when 'cfe_fraction' then ' from 0 to 1, such as 0.9'
                    else ', such as 1.1'
                end
                || coalesce(
                    format(
                        '; {} is {:g}',
                        trim(cell),
                        try_cast(regexp_extract(cell, '^\s*([0-9.]+)\s*([A-Za-z]+)\s*$', 1) as double) * map {
                            'training_hours d': 24, 'training_hours day': 24, 'training_hours days': 24,
                            'training_hours h': 1, 'training_hours hours': 1, 'training_hours min': 1 / 60,
                            'chip_hours h': 1, 'watts_per_chip w': 1, 'watts_per_chip kw': 1e3,
                            'energy_kwh wh': 1e-3, 'energy_kwh kwh': 1, 'energy_kwh mwh': 1e3,
                            'energy_kwh gwh': 1e6
                        }[column_name || ' ' || lower(regexp_extract(cell, '^\s*([0-9.]+)\s*([A-Za-z]+)\s*$', 2))]
                    ),
                    ''
                )
        end as message
    from cells
    where
        not coalesce(isfinite(try_cast(cell as double)), false)
        or (
            column_name = 'chips'
            and not regexp_full_match(cell, '\s*[0-9]{1,12}(\.0*)?\s*')
            and coalesce(try_cast(cell as double), 1) > 0
        )
),

not_positive as (
    select
        row_number,
        column_name,
        '''' || cell || ''': expected '
        || case
            when ends_with(column_name, '_g_per_kwh') then '0 or more, in g CO2e per kWh'
            when ends_with(column_name, '_fraction') then 'a share from 0 to 1'
            else 'more than 0'
        end as message
    from cells
    where
        isfinite(try_cast(cell as double))
        and (
            try_cast(cell as double) < 0
            or (
                try_cast(cell as double) = 0
                and not ends_with(column_name, '_g_per_kwh')
                and not ends_with(column_name, '_fraction')
            )
        )
),

grids as (
    select distinct location_id
    from location_factors
    where basis = 'country_year'
),

-- NVIDIA names a system by its chips and how many of them NVLink joins: GB200 NVL72.
racks as (
    select
        spelled.row_number,
        upper(spelled.parts.chip) as chip,
        spelled.parts.chips
    from (
        select
            given.row_number,
            regexp_extract(
                trim(given.hardware), '^(?:NVIDIA\s+)?(\w+)[\s_-]*NVL[\s_-]*(\d+)$', ['chip', 'chips'], 'i'
            ) as parts
        from given
    ) as spelled
    where spelling_key(spelled.parts.chip) in (select spelling_key(aliases.alias) from hardware_aliases as aliases)
),

names as (
    select
        given.row_number,
        'hardware' as column_name,
        '''' || given.hardware || '''' || coalesce(
            (
                select
                    ' is a rack of ' || racks.chips || ' ' || racks.chip || '; give hardware=' || racks.chip
                    || ' chips=' || racks.chips || ' for each rack'
                from racks
                where given.row_number = racks.row_number
            ),
            if(
                regexp_matches(given.hardware, '^\s*\d+\s*x\s.*\d+\s*x\s|\w\s*\+\s*\w', 'i'),
                ' names several accelerators; give a row for each kind, with its name and its number',
                null
            ),
            (
                select ' ' || any_value(generations.message)
                from generations
                where given.hardware = generations.hardware
            ),
            if(
                regexp_full_match(given.hardware, '\s*\d+\s*x\s+\S.*', 'i'),
                ' holds a number; give hardware=' || regexp_extract(given.hardware, '\d+\s*x\s+(.*)$', 1, 'i')
                || ' chips=' || regexp_extract(given.hardware, '\d+'),
                null
            ),
            if(
                list_contains(string_split(hardware_words(given.hardware), ' '), 'cpu'),
                ' is not a known accelerator. CPUs are known by name, such as ' || (
                    select string_agg(cpus.name, ', ' order by cpus.name)
                    from hardware as cpus
                    where cpus.kind = 'cpu' and cpus.manufacturer in ('AMD', 'Intel')
                ),
                null
            ),
            ' is not a known accelerator. The nearest: ' || (
                select string_agg(near.alias, ', ')
                from (
                    select aliases.alias
                    from hardware_aliases as aliases
                    order by
                        list_has_all(
                            string_split(hardware_words(aliases.alias), ' '),
                            string_split(nullif(hardware_words(given.hardware), ''), ' ')
                        ) desc nulls last,
                        if(
                            list_has_all(
                                string_split(hardware_words(aliases.alias), ' '),
                                string_split(nullif(hardware_words(given.hardware), ''), ' ')
                            ),
                            len(string_split(hardware_words(aliases.alias), ' ')),
                            null
                        ) asc nulls last,
                        jaro_winkler_similarity(lower(aliases.alias), lower(given.hardware)) desc,
                        aliases.alias asc
                    limit 3
                ) as near
            ),
            ' is not a known accelerator'
        ) as message
    from given
    inner join runs on given.row_number = runs.row_number
    where
        given.hardware is not null
        and runs.hardware_id is null
        -- A measured energy, or a measured power over known hours, needs no accelerator: its name is kept as text.
        and runs.energy_kwh is null
        and runs.watts_per_chip * runs.known_chip_hours is null
    union all
    select
        given.row_number,
        'provider' as column_name,
        '''' || given.provider || ''' is not a known provider. Known: '
        || (
            select string_agg(distinct known.provider, ', ' order by known.provider)
            from provider_aliases as known
        ) as message
    from given
    inner join runs on given.row_number = runs.row_number
    where given.provider is not null and runs.named_provider is null
    union all
    select
        given.row_number,
        'cloud_region' as column_name,
        hints.message
    from given
    inner join runs on given.row_number = runs.row_number
    inner join unknown_regions as hints on given.cloud_region = hints.cloud_region
    where given.cloud_region is not null and runs.cloud_region is null
    union all
    select
        given.row_number,
        'site_country' as column_name,
        '''' || given.site_country || ''' is not a known country; expected a two-letter code or an English name, such as '
        || coalesce((
            select string_agg(near.country || ' (' || near.alias || ')', ', ')
            from (
                select
                    countries.country,
                    arg_max(
                        countries.alias, jaro_winkler_similarity(lower(countries.alias), lower(given.site_country))
                    ) as alias
                from countries
                group by countries.country
                order by
                    max(jaro_winkler_similarity(lower(countries.alias), lower(given.site_country))) desc,
                    countries.country asc
                limit 3
            ) as near
        ), 'FR') as message
    from given
    inner join runs on given.row_number = runs.row_number
    where given.site_country is not null and runs.named_country is null
    union all
    select
        given.row_number,
        'site_state' as column_name,
        '''' || given.site_state || ''' is not a state or province with a known grid'
        || coalesce(' in ' || runs.named_country, '') || '. Known: the states of the USA, and '
        || (
            select string_agg(distinct strip_accents(states.alias), ', ' order by strip_accents(states.alias))
            from states
            where states.country <> 'US'
        )
        || '. Leave it out to take the grid of the country' as message
    from given
    inner join runs on given.row_number = runs.row_number
    where given.site_state is not null and runs.named_state is null
    union all
    select
        runs.row_number,
        'site_country' as column_name,
        '''' || given.site_country || ''': the intensity of its grid is not known; give carbon_intensity_g_per_kwh' as message
    from given
    inner join runs on given.row_number = runs.row_number
    where
        runs.cloud_region is null
        and runs.gross_kg_per_kwh is null
        and runs.named_country not in (select grids.location_id from grids)
    union all
    select
        given.row_number,
        'started' as column_name,
        '''' || given.started || ''': expected a date as YYYY-MM-DD, a month as YYYY-MM, or a year' as message
    from given
    inner join runs on given.row_number = runs.row_number
    where
        given.started is not null
        and runs.started is null
        and not regexp_full_match(given.started, '\s*[0-9]{4}\s*')
),

held as (
    select min(cast(period as integer)) as first_year
    from location_factors
    where factor = 'gross_kg_per_kwh'
),

-- Power that the accelerator cannot have, and years without factors.
bounds as (
    select
        runs.row_number,
        'watts_per_chip' as column_name,
        format(
            '{:g} W per accelerator, but {} is rated {:g} W. Expected 0.15 to 1.5 times this rating '
            || '(whole system), and up to {:g} W for its host. {}',
            runs.watts_per_chip, hardware.name, hardware.tdp_w, host_allowance_w(runs.chips),
            case
                when
                    runs.watts_per_chip > hardware.tdp_w and runs.chips > 1
                    and is_of_rating(runs.watts_per_chip / runs.chips, hardware.tdp_w, 0)
                    then 'It looks like the power of all chips together.'
                when is_of_rating(runs.watts_per_chip * 1000, hardware.tdp_w, 0)
                    then 'It looks like kW.'
                else 'Give W, as an average over training.'
            end
        ) as message
    from runs
    inner join hardware on runs.hardware_id = hardware.hardware_id
    where not is_of_rating(runs.watts_per_chip, hardware.tdp_w, host_allowance_w(runs.chips))
    union all
    select
        runs.row_number,
        'watts_per_chip' as column_name,
        format(
            '{:g} W: expected 5 W to 30 kW for one accelerator with its host', runs.watts_per_chip
        )
            as message
    from runs
    where runs.hardware_id is null and runs.watts_per_chip > 0 and runs.watts_per_chip not between 5 and 30000
    union all
    select
        runs.row_number,
        'started' as column_name,
        given.started || ': in the future; today is ' || strftime(getvariable('today'), '%Y-%m-%d') as message
    from runs
    inner join given on runs.row_number = given.row_number
    where runs.started > getvariable('today') or runs.run_year > year(getvariable('today'))
    union all
    select
        runs.row_number,
        'started' as column_name,
        given.started || ': before ' || held.first_year || ', the first year that the dataset has factors for' as message
    from runs
    inner join given on runs.row_number = given.row_number
    inner join held on runs.run_year < held.first_year
),

-- What the accelerators of a run drew and could do by what is given of it.
worked as (
    select
        runs.row_number,
        runs.known_chip_hours,
        runs.energy_kwh,
        runs.training_flop,
        hardware.name,
        hardware.tdp_w,
        host_allowance_w(runs.chips) as host_w,
        0.05 * hardware.tdp_w as least_w,
        1.5 * hardware.tdp_w + host_w as most_w,
        runs.energy_kwh * 1000 / runs.known_chip_hours as drawn_w_per_chip, -- kWh to Wh
        runs.known_chip_hours * 3600 -- hours to seconds
        * greatest(hardware.peak_fp8_tflops, hardware.peak_fp16_tflops, hardware.peak_fp32_tflops) * 1e12 -- TFLOP to FLOP
            as possible_flop
    from runs
    inner join hardware on runs.hardware_id = hardware.hardware_id
),

contradictions as (
    select
        row_number,
        'chip_hours' as column_name,
        format(
            '{:g}, but {:g} chips x {:g} hours are {:g}. {}',
            chip_hours, chips, training_hours, chips * training_hours,
            if(
                abs(chip_hours / training_hours - 1) <= 0.02,
                'It looks like the hours alone: chip-hours are chips x hours.',
                'Give chip-hours, or chips and hours.'
            )
        ) as message
    from runs
    where chips * training_hours > 0 and abs(chip_hours / (chips * training_hours) - 1) > 0.02
    union all
    select
        row_number,
        'watts_per_chip' as column_name,
        'given together with energy_kwh; give only one of them' as message
    from runs
    where watts_per_chip is not null and energy_kwh is not null
    union all
    select
        runs.row_number,
        'cfe_fraction' as column_name,
        'needs the carbon-free share of the grid, which is not known for this location; give cloud_region or site_country'
            as message
    from runs
    left join grid_shares as shares on coalesce(runs.cloud_region, runs.site_country) = shares.location_id
    where runs.cfe_fraction is not null and shares.location_id is null
    union all
    select
        row_number,
        'metering' as column_name,
        'says how an energy was measured, but no energy is given; give energy_kwh, or leave it out' as message
    from runs
    where metering is not null and energy_kwh is null
    union all
    select
        row_number,
        'energy_kwh' as column_name,
        format(
            '{:g} kWh over {:g} chip-hours is {:g} W per accelerator; expected {:g} to {:g} W '
            || '({} is rated {:g} W, and its host may add {:g} W){}',
            energy_kwh, known_chip_hours, drawn_w_per_chip, least_w, most_w, name, tdp_w, host_w,
            case
                when drawn_w_per_chip * 1000 between least_w and most_w
                    then '. The energy looks like MWh (give kWh), or the hours are wrong'
                when drawn_w_per_chip / 1000 between least_w and most_w
                    then '. The energy looks like Wh (give kWh), or the hours are wrong'
                when drawn_w_per_chip / 3.6e6 between least_w and most_w
                    then '. The energy looks like J (give kWh), or the hours are wrong'
                else '. The energy, the hours or the number of chips is wrong'
            end
        ) as message
    from worked
    where drawn_w_per_chip not between least_w and most_w
    union all
    select
        row_number,
        'training_flop' as column_name,
        format(
            '{:g} in {:g} chip-hours is more than {} can do: {:.0f} % of its peak',
            training_flop, known_chip_hours, name, 100 * training_flop / possible_flop
        ) as message
    from worked
    where training_flop <= 1e30 and training_flop > possible_flop
    union all
    select * from counted_twice
    union all
    select
        row_number,
        'provider' as column_name,
        '''' || named_provider || ''', but ' || cloud_region || ' is a region of ' || provider || '; leave one of the two out'
            as message
    from runs
    where cloud_region is not null and named_provider <> provider
    union all
    select
        row_number,
        'site_country' as column_name,
        '''' || named_country || ''', but ' || cloud_region || ' is in ' || site_country || '; leave one of the two out'
            as message
    from runs
    where cloud_region is not null and named_country <> site_country
    union all
    select
        runs.row_number,
        'hardware' as column_name,
        hardware.name || ' has no known rated power and no measurement; give watts_per_chip' as message
    from runs
    inner join hardware on runs.hardware_id = hardware.hardware_id
    left join hardware_power as power on runs.hardware_id = power.hardware_id
    where power.hardware_id is null and runs.watts_per_chip is null and runs.energy_kwh is null
    union all
    select
        runs.row_number,
        'training_flop' as column_name,
        'the peak speed is not known for ' || runs.hardware || '; give chip_hours, or chips and training_hours' as message
    from runs
    left join hardware_power as power on runs.hardware_id = power.hardware_id
    where
        runs.hardware_id is not null
        and runs.training_flop is not null
        and power.sustained_flop_per_s is null
        and coalesce(runs.known_chip_hours, runs.energy_kwh) is null
),

found as (
    select * from unread
    union all
    select * from not_positive
    union all
    select * from names
    union all
    select
        row_number,
        column_name,
        message
    from out_of_bounds
    union all
    select * from bounds
    union all
    select * from contradictions
),

incomplete as (
    select
        row_number,
        case
            when chips is not null and training_hours is null then 'training_hours'
            when training_hours is not null and chips is null then 'chips'
            else 'chip_hours'
        end as column_name,
        'missing: give energy_kwh, or chip_hours, or chips with training_hours, or training_flop' as message
    from runs
    where
        coalesce(energy_kwh, known_chip_hours, training_flop) is null
        and row_number not in (select found.row_number from found)
)

select * from found
union all
select * from incomplete
order by row_number, column_name, message
