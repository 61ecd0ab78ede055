-- The organisations behind each developer, as runs name it. One row per developer; several names are separated by ';'.
-- The mapping is raw.organisations. A name that it does not list is its own organisation: none is guessed.
-- Joint work belongs to the organisation that is named first; organisations has all of them, in their order.
-- The country is known if the mapping has one for every name.
with listed as (
    select distinct
        developer,
        string_split(developer, ';') as developer_names
    from core.disclosed_runs
    where developer is not null
),

unnested as (
    select
        developer,
        trim(unnest(developer_names)) as developer_name,
        unnest(range(len(developer_names))) as position
    from listed
),

names as (
    select
        unnested.developer,
        unnested.position,
        coalesce(known.organisation, unnested.developer_name) as organisation,
        known.developer_country
    from unnested
    left join raw.organisations as known on unnested.developer_name = known.developer_name
),

organisations as (
    select
        developer,
        organisation,
        min(position) as position
    from names
    group by developer, organisation
),

ordered as (
    select
        developer,
        arg_min(organisation, position) as organisation,
        string_agg(organisation, ';' order by position) as organisations
    from organisations
    group by developer
),

countries_of_names as (
    select
        developer,
        unnest(string_split(developer_country, ';')) as country
    from names
    where
        developer not in (
            select unknown.developer
            from names as unknown
            where unknown.developer_country is null
        )
),

countries as (
    select
        developer,
        string_agg(distinct country, ';' order by country) as developer_country
    from countries_of_names
    group by developer
)

select
    ordered.developer,
    ordered.organisation,
    ordered.organisations,
    countries.developer_country
from ordered
left join countries on ordered.developer = countries.developer
