-- Epoch AI's facts on the training of each model, in the columns of the curated facts. One row per model. Its power
-- is left out, because it is rated power x overhead and not measured. If a model starts from another, only the FLOP
-- of the fine-tuning count. If these are unknown, its FLOP may include the base model's and are an upper bound.
-- So are facts that stand there for another model already: they hold a training that is not its own, or not all its own.
-- A run that was merged into another is left out.
-- Epoch AI dates some papers by a revision. Where raw.paper_dates says that the first version is about the run, the month
-- of its arXiv number counts.
with paper_months as (
    select
        dates.run_id,
        min(cast(strptime('20' || left(identifiers.identifier, 4) || '01', '%Y%m%d') as date)) as published_date
    from raw.paper_dates as dates
    inner join raw.run_identifiers as identifiers
        on dates.run_id = identifiers.run_id and identifiers.identifier_scheme = 'arxiv'
    where dates.dates_run
    group by dates.run_id
),

repeated as (
    select
        models.model,
        first.model as first_model
    from raw.epoch_models as models
    inner join raw.epoch_models as first on models.base_model = first.model
    where
        coalesce(models.chip_hours, models.chips * models.training_hours)
        = coalesce(first.chip_hours, first.chips * first.training_hours)
        and models.hardware is not distinct from first.hardware
        and models.upstream_training_flop is not distinct from first.upstream_training_flop
    union all
    -- A later name of a model: all alike, down to the page. Papers do train several small models of one size.
    select
        model,
        first_value(model) over alike as first_model
    from raw.epoch_models
    where
        base_model is null
        and upstream_training_flop >= 1e22
        and upstream_parameters is not null
        and source_link is not null
    window
        alike as (
            partition by
                organizations, source_link, reference_title, upstream_parameters, upstream_training_flop, hardware, chips,
                training_hours, chip_hours
            order by published_date, model
        )
    qualify row_number() over alike > 1
),

countries as (
    select
        listed.model,
        string_agg(distinct countries.country, ';' order by countries.country) as developer_country
    from (
        select
            model,
            unnest(words_of(countries)) as alias
        from raw.epoch_models
    ) as listed
    inner join raw.countries as countries on listed.alias = countries.alias
    group by listed.model
)

select
    ids.run_id,
    models.model,
    -- a comma before a space or a legal form is part of a name: Booz Allen Hamilton, McLean
    regexp_replace(
        regexp_replace(regexp_replace(models.organizations, '\s+', ' ', 'g'), ',(Ltd|Inc|LLC|Corp)\b', ', \1', 'g'),
        ' ?,([^ ])', ';\1', 'g'
    ) as developer,
    countries.developer_country,
    coalesce(paper_months.published_date, models.published_date) as published_date,
    lower(models.domain) as domain,
    case
        when repeated.model is not null then 'upper_bound'
        when
            models.base_model is null
            and (models.upstream_training_flop is not null or nullif(models.finetune_flop, 0) is null)
            then 'one_run'
        when nullif(models.finetune_flop, 0) is not null then 'part_of_run'
        when models.chip_hours is not null or (models.chips is not null and models.training_hours is not null)
            then 'part_of_run'
        else 'upper_bound'
    end as covers,
    cast(round(models.upstream_parameters) as bigint) as parameters,
    cast(null as bigint) as active_parameters,
    case
        when models.base_model is null then coalesce(models.upstream_training_flop, nullif(models.finetune_flop, 0))
        when covers = 'upper_bound' then models.upstream_training_flop
        else nullif(models.finetune_flop, 0)
    end as training_flop,
    case
        when contains(models.compute_estimation_method, 'Hardware') then 'from_hardware'
        when regexp_matches(models.compute_estimation_method, 'Third-party|Comparison|Benchmark') then 'estimated'
        when regexp_matches(models.compute_estimation_method, 'Operation counting|Reported') then 'counted'
    end as flop_basis,
    models.confidence,
    models.hardware,
    models.chips,
    models.training_hours,
    models.chip_hours,
    models.mfu,
    cast(null as double) as watts_per_chip,
    cast(null as varchar) as power_basis,
    cast(null as varchar) as started_month,
    models.data_center as location,
    providers.provider,
    cast(null as varchar) as cloud_region,
    cast(null as varchar) as site,
    cast(null as varchar) as site_country,
    cast(null as double) as pue,
    cast(null as double) as gross_kg_per_kwh,
    cast(null as double) as net_kg_per_kwh,
    upstreams.title as source_title,
    upstreams.url as source_url,
    models.file || ', Model = ' || models.model
    || coalesce('; Link ' || first_url(models.source_link), '')
    || coalesce('; the same facts as Model = ' || repeated.first_model, '')
    || if(paper_months.run_id is null, '', '; date: month of its arXiv number') as source_locator,
    'epoch' as verified
from raw.epoch_models as models
inner join core.model_ids as ids on models.model = ids.upstream_name
inner join raw.upstreams as upstreams on upstreams.source = 'epoch_models'
left join repeated on models.model = repeated.model
left join countries on models.model = countries.model
left join paper_months on ids.run_id = paper_months.run_id
left join raw.provider_aliases as providers on models.cloud_vendor = providers.alias
where
    ids.run_id not in (
        select merged.run_id
        from raw.run_relations as merged
        where merged.relation = 'merged'
    )
