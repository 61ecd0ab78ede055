-- Every name in an upstream that this project could not place. One row per kind and spelling, with how many models use it.
with listed as (
    select
        'hardware' as kind_of_name,
        'epoch_models' as source,
        unnest(words_of(hardware)) as spelling
    from raw.epoch_models
    union all
    select
        'country' as kind_of_name,
        'epoch_models' as source,
        unnest(words_of(countries)) as spelling
    from raw.epoch_models
    union all
    select
        'organization_without_country' as kind_of_name,
        'epoch_models' as source,
        organizations as spelling
    from raw.epoch_models
    where organizations is not null and countries is null
    union all
    select
        'developer' as kind_of_name,
        'epoch_models' as source,
        trim(unnest(string_split(developer, ';'))) as spelling
    from core.upstream_runs
    union all
    select
        'cloud_vendor' as kind_of_name,
        'epoch_models' as source,
        unnest(words_of(cloud_vendor)) as spelling
    from raw.epoch_models
    union all
    select
        'cloud_region' as kind_of_name,
        'google_region_carbon' as source,
        region as spelling
    from raw.google_region_carbon
),

known as (
    select
        'hardware' as kind_of_name,
        alias_key as spelling
    from core.hardware_aliases
    union all
    select
        'country' as kind_of_name,
        alias as spelling
    from raw.countries
    union all
    select
        'developer' as kind_of_name,
        developer_name as spelling
    from raw.organisations
    union all
    select
        'cloud_vendor' as kind_of_name,
        alias as spelling
    from raw.provider_aliases
    union all
    select
        'cloud_region' as kind_of_name,
        region as spelling
    from raw.regions
)

select
    listed.kind_of_name,
    listed.source,
    listed.spelling,
    count(*) as row_count
from listed
left join known
    on
        listed.kind_of_name = known.kind_of_name
        and if(listed.kind_of_name = 'hardware', spelling_key(listed.spelling), listed.spelling) = known.spelling
where known.spelling is null
group by listed.kind_of_name, listed.source, listed.spelling
