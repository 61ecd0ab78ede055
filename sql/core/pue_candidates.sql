-- PUE of each run, on every basis that the facts allow. One row per run and basis. Another year is used only if the
-- run's year has no figure; factor_year shows it.
with runs as (
    select
        run_id,
        organisation,
        organisations,
        provider,
        region,
        run_year,
        if(
            started_month is null, null,
            left(started_month, 4) || '-Q' || quarter(strptime(started_month, '%Y-%m'))
        ) as run_quarter,
        pue,
        source_title,
        source_url,
        source_locator,
        verified
    from core.training_runs
),

-- The operator that a source names for the organisation, where it is the only one and none is stated for the run.
named_operators as (
    select
        run_id,
        any_value(provider) as provider
    from core.run_providers
    where provider_basis = 'organisation'
    group by run_id
    having count(*) = 1
),

-- The locations whose average each run may have; without a region that of the whole fleet.
asked as (
    select
        run_id,
        run_year,
        'site_year' as basis,
        provider,
        region
    from runs
    where region is not null
    union all
    select
        run_id,
        run_year,
        'provider_year' as basis,
        provider,
        null as region
    from runs
    union all
    select
        runs.run_id,
        runs.run_year,
        'organisation_provider_year' as basis,
        named_operators.provider,
        null as region
    from runs
    inner join named_operators on runs.run_id = named_operators.run_id
    union all
    select
        run_id,
        run_year,
        'industry_year' as basis,
        industry_average() as provider,
        null as region
    from runs
    where run_year is not null
),

nearest as (
    select
        asked.run_id,
        asked.basis,
        years.pue as value,
        years.factor_year,
        years.source_title,
        years.source_url,
        years.source_locator,
        years.verified
    from asked
    inner join core.pue_years as years
        on asked.provider = years.provider and if(asked.region is null, years.is_average, asked.region = years.region)
    where years.quarter is null
    qualify row_number() over (
        partition by asked.run_id, asked.basis order by abs(years.factor_year - asked.run_year), years.factor_year
    ) = 1
),

claimed_sites as (
    select
        runs.run_id,
        'site_claimed' as basis,
        claims.pue as value,
        cast(left(claims.period, 4) as integer) as factor_year,
        claims.source_title,
        claims.source_url,
        claims.source_locator,
        claims.verified
    from runs
    inner join core.datacenter_pue as claims
        on
            runs.provider = claims.provider
            and runs.region = 'site:' || claims.site
            and claims.pue_basis = 'claimed'
    where runs.run_year is not null
    qualify row_number() over (partition by runs.run_id order by abs(factor_year - runs.run_year), claims.period) = 1
),

known as (
    select
        run_id,
        'disclosed' as basis,
        pue as value,
        run_year as factor_year,
        source_title,
        source_url,
        source_locator,
        verified
    from runs
    where pue is not null
    union all
    select
        runs.run_id,
        'site_quarter' as basis,
        quarters.pue as value,
        quarters.factor_year,
        quarters.source_title,
        quarters.source_url,
        quarters.source_locator,
        quarters.verified
    from runs
    inner join core.pue_years as quarters
        on
            runs.provider = quarters.provider
            and runs.region = quarters.region
            and runs.run_quarter = quarters.quarter
    union all
    select *
    from nearest
    union all
    select *
    from claimed_sites
),

told_groups as (
    select distinct
        organisation,
        organisations
    from core.stated_pues
),

-- Which runs at known locations share an organisation with a run.
relatives as (
    select
        others.organisations,
        list(distinct stated.organisations order by stated.organisations) as stated_relatives
    from (
        select distinct organisations
        from runs
    ) as others
    inner join told_groups as stated on are_related(others.organisations, stated.organisations)
    group by others.organisations
),

told_organisations as (
    select distinct organisation
    from told_groups
),

stated_runs as (
    select distinct run_id
    from core.stated_pues
),

runs_with_relatives as (
    select
        runs.run_id,
        runs.run_year,
        coalesce(relatives.stated_relatives, []) as stated_relatives,
        told_organisations.organisation as own_organisation,
        stated_runs.run_id as own_run_id
    from runs
    left join relatives on runs.organisations = relatives.organisations
    left join told_organisations on runs.organisation = told_organisations.organisation
    left join stated_runs on runs.run_id = stated_runs.run_id
    where runs.run_year is not null
),

-- Runs with the same answer: of one year, organisation and relatives. A run with a PUE of its own leaves that out, and so is
-- alone.
askers as (
    select
        min(run_id) as asker,
        list(run_id order by run_id) as run_ids,
        run_year,
        stated_relatives,
        own_organisation,
        own_run_id
    from runs_with_relatives
    group by run_year, stated_relatives, own_organisation, own_run_id
),

-- The locations of the organisation's own runs, and of the runs that no organisation of the run took part in.
locations as (
    select
        askers.asker,
        askers.run_year,
        coalesce(askers.own_organisation = stated.organisation, false) as is_own,
        stated.organisation,
        stated.stated_location,
        avg(ln(stated.pue) order by stated.run_id) as ln_pue,
        min(stated.factor_year) as first_year,
        max(stated.factor_year) as last_year,
        first_source(stated.source_title, stated.source_url, null)[1] as source_title,
        first_source(stated.source_title, stated.source_url, null)[2] as source_url,
        least_verified(stated.verified) as verified
    from askers
    inner join core.stated_pues as stated
        on
            askers.run_year = stated.year
            and stated.run_id is distinct from askers.own_run_id
            and (
                askers.own_organisation = stated.organisation
                or not list_contains(askers.stated_relatives, stated.organisations)
            )
    group by askers.asker, askers.run_year, askers.own_organisation, stated.organisation, stated.stated_location
),

near as (
    select
        asker,
        run_year,
        is_own,
        organisation,
        avg(ln_pue order by stated_location, ln_pue) as mean_ln_pue,
        count(*) as locations,
        min(first_year) as first_year,
        max(last_year) as last_year,
        first_source(source_title, source_url, null)[1] as source_title,
        first_source(source_title, source_url, null)[2] as source_url,
        least_verified(verified) as verified
    from locations
    group by asker, run_year, is_own, organisation
),

trained as (
    select
        asker,
        run_year,
        exp(avg(mean_ln_pue order by organisation)) as value,
        count(*) as organisations,
        sum(locations) as locations,
        min(first_year) as first_year,
        max(last_year) as last_year,
        first_source(source_title, source_url, null)[1] as source_title,
        first_source(source_title, source_url, null)[2] as source_url,
        least_verified(verified) as verified
    from near
    where not is_own
    group by asker, run_year
    having organisations >= 3
),

answers as (
    select
        asker,
        'developer_locations' as basis,
        exp(mean_ln_pue) as value,
        furthest_year(first_year, last_year, run_year) as factor_year,
        source_title,
        source_url,
        'geometric mean of the PUE of ' || counted(locations, 'location') || ' of other runs of ' || organisation
        || ' within two years, as of ' || year_span(first_year, last_year)
        || '; the source named is the first of theirs' as source_locator,
        verified
    from near
    where is_own
    union all
    select
        asker,
        'training_locations' as basis,
        value,
        furthest_year(first_year, last_year, run_year) as factor_year,
        source_title,
        source_url,
        'geometric mean over ' || counted(organisations, 'organisation') || ' of the PUE of ' || counted(locations, 'location')
        || ' of training runs within two years, as of ' || year_span(first_year, last_year)
        || '; the source named is the first of theirs' as source_locator,
        verified
    from trained
    union all
    -- Where no operator that publishes is known: between the locations of training runs and all others.
    select
        trained.asker,
        'unpublished_operator' as basis,
        unpublished_operator_pue(trained.value, unpublished.publishing_fraction, unpublished.other_pue) as value,
        furthest_year(trained.first_year, trained.last_year, trained.run_year) as factor_year,
        trained.source_title,
        trained.source_url,
        unpublished_operator_words(trained.value, unpublished.publishing_fraction, unpublished.other_pue) as source_locator,
        trained.verified
    from trained
    cross join core.unpublished_pue as unpublished
)

select *
from known
union all
select
    unnest(askers.run_ids) as run_id,
    answers.basis,
    answers.value,
    answers.factor_year,
    answers.source_title,
    answers.source_url,
    answers.source_locator,
    answers.verified
from answers
inner join askers on answers.asker = askers.asker
