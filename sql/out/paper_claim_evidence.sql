-- The questions of Patterson et al. 2021 asked of everything that was published since. One row per claim and case.
-- A case that is counted enters the later value of its claim: cases of one group (an organisation, an operator, a year, an
-- accelerator) are averaged first, since they share their errors. Other cases are shown for comparison.
-- The interval of a case is its own uncertainty; for data centers it is the range of the operator's sites.
with best_scores as (
    select
        run_id,
        benchmark,
        max(score) as score
    from raw.capability_scores
    group by run_id, benchmark
),

trained as (
    select
        emissions.run_id,
        emissions.model,
        emissions.organisation,
        emissions.published_date,
        emissions.energy_mwh,
        ln(emissions.energy_mwh_p95 / emissions.energy_mwh_p05) / (2 * 1.645) as ln_gsd,
        -- Developers that keep the size or the hours to themselves may have trained a sparse model.
        emissions.solidity in ('measured', 'disclosed')
        and coalesce(emissions.active_parameters, emissions.parameters) = emissions.parameters as is_dense,
        emissions.active_parameters < emissions.parameters as is_sparse
    from out.emissions as emissions
    where
        emissions.covers = 'one_run'
        and emissions.solidity <> 'guessed'
        and emissions.energy_shared_with is null
),

-- A sparse and a dense model of equal quality: a score of one benchmark within its tolerance, within two years.
equals as (
    select
        sparse.run_id,
        sparse.model,
        sparse.organisation,
        sparse.published_date,
        dense.run_id as dense_run_id,
        any_value(dense.model) as dense_model,
        any_value(sparse.energy_mwh / dense.energy_mwh) as energy_ratio,
        any_value(sparse.ln_gsd) as sparse_ln_gsd,
        any_value(dense.ln_gsd) as dense_ln_gsd
    from trained as sparse
    inner join best_scores as sparse_scores on sparse.run_id = sparse_scores.run_id
    inner join raw.capability_benchmarks as benchmarks on sparse_scores.benchmark = benchmarks.benchmark
    inner join best_scores as dense_scores
        on
            sparse_scores.benchmark = dense_scores.benchmark
            and abs(sparse_scores.score - dense_scores.score) <= benchmarks.equal_within
    inner join trained as dense
        on
            dense_scores.run_id = dense.run_id
            and dense.is_dense
            and abs(date_diff('day', sparse.published_date, dense.published_date)) <= 730
    where sparse.is_sparse
    group by sparse.run_id, sparse.model, sparse.organisation, sparse.published_date, dense.run_id
),

sparse_later as (
    select
        'sparse-against-dense-energy' as claim_id,
        run_id as case_id,
        organisation as case_group,
        true as is_counted,
        any_value(cast(year(published_date) as bigint)) as evidence_year,
        any_value(model) as case_name,
        any_value(model) || ' over ' || cast(count(*) as varchar) || ' dense ' || if(count(*) = 1, 'model', 'models')
        || ' with an equal score: ' || string_agg(dense_model, ', ' order by dense_run_id) as compared_with,
        exp(avg(ln(energy_ratio) order by dense_run_id)) as case_ratio,
        sqrt(
            pow(any_value(sparse_ln_gsd), 2) + avg(pow(dense_ln_gsd, 2) order by dense_run_id) / count(*)
        ) as ln_gsd
    from equals
    where run_id not in ('gshard-600b', 'switch-transformer') -- the systems of the paper itself
    group by run_id, organisation
),

sparse_paper as (
    select
        'sparse-against-dense-energy' as claim_id,
        sparse.run_id as case_id,
        'the paper' as case_group,
        false as is_counted,
        cast(year(sparse.published_date) as bigint) as evidence_year,
        sparse.model as case_name,
        sparse.model || ' over ' || dense.model || ', as in the paper; not of equal quality by a benchmark' as compared_with,
        sparse.energy_mwh / dense.energy_mwh as case_ratio,
        sqrt(pow(sparse.ln_gsd, 2) + pow(dense.ln_gsd, 2)) as ln_gsd
    from trained as sparse
    inner join trained as dense on dense.run_id = 'gpt-3-175b'
    where sparse.run_id in ('gshard-600b', 'switch-transformer')
),

us_regions as (
    select
        provider,
        factor_year,
        intensity_basis,
        count(*) as region_count,
        max(gross_kg_per_kwh) / min(gross_kg_per_kwh) as gross_ratio,
        max(net_kg_per_kwh) / min(net_kg_per_kwh) as net_ratio,
        count(net_kg_per_kwh) as net_count,
        arg_max(region, gross_kg_per_kwh) as dirtiest_region,
        arg_min(region, gross_kg_per_kwh) as cleanest_region,
        arg_max(region, net_kg_per_kwh) as dirtiest_net_region,
        arg_min(region, net_kg_per_kwh) as cleanest_net_region
    from out.locations
    where country = 'US' and gross_basis = 'region_year'
    group by provider, factor_year, intensity_basis
    having count(*) >= 5
    qualify row_number() over (partition by provider, factor_year order by count(*) desc) = 1
),

-- Gross intensities are known of the regions of several operators, net ones of one operator: its cases are grouped by year.
locations as (
    select
        'carbon-by-location' as claim_id,
        slug(provider) || '-' || cast(factor_year as varchar) as case_id,
        provider as case_group,
        factor_year > 2020 as is_counted,
        factor_year as evidence_year,
        provider || ', ' || cast(region_count as varchar) || ' regions in the USA' as case_name,
        'gross: ' || dirtiest_region || ' over ' || cleanest_region as compared_with,
        gross_ratio as case_ratio,
        cast(null as double) as ln_gsd
    from us_regions
    union all
    select
        'carbon-by-location-net' as claim_id,
        slug(provider) || '-' || cast(factor_year as varchar) as case_id,
        cast(factor_year as varchar) as case_group,
        factor_year > 2020 as is_counted,
        factor_year as evidence_year,
        provider || ', ' || cast(net_count as varchar) || ' regions in the USA' as case_name,
        'net: ' || dirtiest_net_region || ' over ' || cleanest_net_region as compared_with,
        net_ratio as case_ratio,
        cast(null as double) as ln_gsd
    from us_regions
    where net_count >= 5 and net_ratio is not null
),

surveys as (
    select
        factor_year,
        pue
    from core.pue_years
    where provider = industry_average() and quarter is null
),

clouds as (
    select
        sites.provider,
        sites.factor_year,
        avg(sites.pue) filter (where sites.is_average) as average_pue,
        quantile_cont(sites.pue, 0.05) filter (where not sites.is_average) as low_pue,
        quantile_cont(sites.pue, 0.95) filter (where not sites.is_average) as high_pue,
        count(*) filter (where not sites.is_average) as site_count
    from core.pue_years as sites
    where
        sites.quarter is null
        and sites.provider in (
            'Google', 'Amazon Web Services', 'Microsoft Azure', 'Meta', 'Alibaba Cloud', 'OVHcloud', 'Scaleway'
        )
    group by sites.provider, sites.factor_year
),

datacenters as (
    select
        'datacenter-efficiency' as claim_id,
        slug(clouds.provider) || '-' || cast(clouds.factor_year as varchar) as case_id,
        clouds.provider as case_group,
        clouds.factor_year > 2020 and clouds.average_pue is not null as is_counted,
        clouds.factor_year as evidence_year,
        clouds.provider as case_name,
        'Uptime survey ' || cast(surveys.pue as varchar) || ' over '
        || coalesce('the average ' || printf('%.2f', clouds.average_pue), 'the median site')
        || if(clouds.site_count >= 3, ', ' || cast(clouds.site_count as varchar) || ' sites', '') as compared_with,
        surveys.pue / coalesce(clouds.average_pue, sqrt(clouds.low_pue * clouds.high_pue)) as case_ratio,
        if(clouds.site_count >= 3, ln(clouds.high_pue / clouds.low_pue) / (2 * 1.645), null) as ln_gsd
    from clouds
    inner join surveys on clouds.factor_year = surveys.factor_year
    where clouds.factor_year >= 2019 and coalesce(clouds.average_pue, clouds.low_pue) is not null
),

-- Other answers to what a typical data center is.
typical as (
    select
        'datacenter-efficiency' as claim_id,
        slug(others.region) || '-' || cast(others.factor_year as varchar) as case_id,
        others.provider as case_group,
        false as is_counted,
        others.factor_year as evidence_year,
        others.provider || ': ' || replace(others.region, 'site:', '') as case_name,
        printf('%.2f', others.pue) || ' over the average of Google' as compared_with,
        others.pue / google.average_pue as case_ratio,
        cast(null as double) as ln_gsd
    from core.pue_years as others
    inner join clouds as google on others.factor_year = google.factor_year and google.provider = 'Google'
    where
        others.provider in (
            'Industry subset (Uptime Institute)', 'Industry average (IDC)', 'National average (China)',
            'Regional average (EU)'
        )
        and google.average_pue is not null
),

performance as (
    select
        power.hardware_id,
        hardware.name,
        hardware.kind,
        hardware.released_date,
        power.watts_basis,
        throughput.n_observations,
        throughput.sustained_flop_per_s / power.watts_per_chip as flop_per_j,
        -- One run's speed lies 1.49 around the usual one (method); the usual one is known from n runs and two of its kind.
        pow(ln(power.watts_gsd), 2) + pow(ln(speed.gsd), 2) / (throughput.n_observations + 2) as ln_variance
    from out.hardware_power as power
    inner join out.hardware as hardware on power.hardware_id = hardware.hardware_id
    inner join core.throughput as throughput on power.hardware_id = throughput.hardware_id
    inner join core.method as speed on speed.factor = 'chip_hours' and speed.basis = 'flop_over_throughput'
    where hardware.peak_fp16_tflops is not null and hardware.released_date is not null
),

-- Each accelerator made for machine learning that runs were observed on, against the newest GPU of its day whose power was
-- measured.
contemporaries as (
    select
        'accelerator-efficiency' as claim_id,
        made.hardware_id as case_id,
        made.hardware_id as case_group,
        made.n_observations > 0 and made.released_date > date '2020-12-31' as is_counted,
        cast(year(made.released_date) as bigint) as evidence_year,
        made.name as case_name,
        'over ' || general.name || ', the newest GPU of its day with measured power' as compared_with,
        made.flop_per_j / general.flop_per_j as case_ratio,
        sqrt(made.ln_variance + general.ln_variance) as ln_gsd
    from performance as made
    inner join performance as general
        on
            general.kind = 'gpu'
            and general.watts_basis = 'measured_same_chip'
            and made.released_date >= general.released_date
    where made.kind in ('tpu', 'asic') and (made.n_observations > 0 or made.kind = 'tpu')
    qualify row_number() over (
        partition by made.hardware_id order by general.released_date desc, general.hardware_id asc
    ) = 1
),

generations as (
    select
        'accelerator-efficiency' as claim_id,
        'since-v100-' || newer.hardware_id as case_id,
        'generations' as case_group,
        false as is_counted,
        cast(year(newer.released_date) as bigint) as evidence_year,
        newer.name as case_name,
        'over ' || older.name || ', the GPU of GPT-3' as compared_with,
        newer.flop_per_j / older.flop_per_j as case_ratio,
        sqrt(newer.ln_variance + older.ln_variance) as ln_gsd
    from performance as newer
    inner join performance as older on older.hardware_id = 'nvidia-v100-sxm2-16gb'
    where newer.hardware_id in (
        'google-tpu-v4', 'google-tpu-v5p', 'google-tpu-v6e', 'google-tpu-v7', 'nvidia-a100-sxm4-80gb',
        'nvidia-h100-sxm5-80gb', 'nvidia-h200-sxm', 'nvidia-b200-sxm-180gb', 'nvidia-gb200', 'amd-mi300x',
        'amd-mi355x', 'aws-trainium2', 'huawei-ascend-910c'
    )
)

select
    claim_id,
    case_id,
    case_group,
    is_counted,
    evidence_year,
    case_name,
    compared_with,
    case_ratio,
    case_ratio * exp(-1.645 * ln_gsd) as case_ratio_p05,
    case_ratio * exp(1.645 * ln_gsd) as case_ratio_p95,
    case
        when ln_gsd is null then null
        when claim_id = 'datacenter-efficiency' then 'sites'
        else 'uncertainty'
    end as interval_meaning
from (
    from sparse_later
    union all by name
    from sparse_paper
    union all by name
    from locations
    union all by name
    from datacenters
    union all by name
    from typical
    union all by name
    from contemporaries
    union all by name
    from generations
) as cases
