-- The claims of the abstract of Patterson et al. 2021, computed from this dataset. One row per claim.
-- The paper's figures are read from paper_2021_numbers. A claim of a range holds if the computed range
-- overlaps it; a claim of a bound holds if the dataset contains a case within the bound.
with printed as (
    select
        max(try_cast(printed_text as double)) filter (where metric = 'energy_ratio_upper_bound') as sparse_high,
        max(try_cast(printed_text as double)) filter (where metric = 'co2e_variation_factor_low') as location_low,
        max(try_cast(printed_text as double)) filter (where metric = 'co2e_variation_factor_high') as location_high,
        max(try_cast(printed_text as double)) filter (where metric = 'energy_efficiency_factor_low') as datacenter_low,
        max(try_cast(printed_text as double)) filter (where metric = 'energy_efficiency_factor_high') as datacenter_high,
        max(try_cast(printed_text as double)) filter (where metric = 'effectiveness_factor_low') as accelerator_low,
        max(try_cast(printed_text as double)) filter (where metric = 'effectiveness_factor_high') as accelerator_high,
        max(try_cast(printed_text as double)) filter (where metric = 'carbon_reduction_factor_low') as together_low,
        max(try_cast(printed_text as double)) filter (where metric = 'carbon_reduction_factor_high') as together_high
    from raw.paper_2021_numbers
),

sparse as (
    select
        min(sparse.energy_mwh / dense.energy_mwh) as computed_low,
        max(sparse.energy_mwh / dense.energy_mwh) as computed_high
    from out.emissions as sparse
    inner join out.emissions as dense on dense.run_id = 'gpt-3-175b'
    where sparse.run_id in ('gshard-600b', 'switch-transformer')
),

us_locations as (
    select
        what_if.co2e_gross_t,
        grid.operator_cfe_fraction
    from out.what_if as what_if
    inner join raw.regions as regions on what_if.region = regions.region
    inner join core.region_intensity as grid
        on what_if.region = grid.region and what_if.factor_year = grid.factor_year
    where
        what_if.run_id = 't5-11b'
        and regions.country = 'US'
        and what_if.factor_year = 2019
        and what_if.intensity_basis = 'lifecycle' -- that of all with a carbon-free share
        and grid.operator_cfe_fraction is not null
),

gsds as (
    select
        max(operator_cfe_fraction) / min(operator_cfe_fraction) as cfe_ratio,
        max(co2e_gross_t) / min(co2e_gross_t) as gross_ratio
    from us_locations
),

location as (
    select
        least(cfe_ratio, gross_ratio) as computed_low,
        greatest(cfe_ratio, gross_ratio) as computed_high
    from gsds
),

datacenter as (
    select
        min(industry.pue / fleet.pue) as computed_low,
        max(industry.pue / fleet.pue) as computed_high
    from core.pue_years as industry
    inner join core.pue_years as fleet
        on industry.factor_year = fleet.factor_year and fleet.provider = 'Google' and fleet.is_average
    where
        industry.provider = industry_average()
        and industry.quarter is null
        and fleet.quarter is null
),

performance as (
    select
        numbers.run_id,
        max(try_cast(numbers.printed_text as double)) filter (where numbers.metric = 'measured_performance_tflops_per_s')
        / any_value(emissions.watts_per_chip) as tflops_per_w,
        any_value(emissions.hardware_id) as hardware_id
    from raw.paper_2021_numbers as numbers
    inner join out.emissions as emissions on numbers.run_id = emissions.run_id
    group by numbers.run_id
),

accelerator as (
    select
        min(tpu.tflops_per_w / gpu.tflops_per_w) as computed_low,
        max(tpu.tflops_per_w / gpu.tflops_per_w) as computed_high
    from performance as tpu
    inner join performance as gpu
        on
            (tpu.hardware_id = 'google-tpu-v3' and gpu.run_id = 'gpt-3-175b')
            or (tpu.run_id = 'transformer-big-tpuv2' and gpu.run_id = 'transformer-big-p100')
            or (
                tpu.run_id = 'evolved-transformer-medium-tpuv2'
                and gpu.run_id = 'evolved-transformer-medium-p100'
            )
),

best_location as (
    select min(what_if.co2e_net_t) as co2e_net_t
    from out.what_if as what_if
    inner join raw.regions as regions on what_if.region = regions.region
    where
        what_if.run_id = 'gshard-600b'
        and regions.country = 'US'
        and what_if.factor_year <= 2020
        and what_if.intensity_basis = 'lifecycle' -- that of most locations
),

together as (
    select
        dense.co2e_gross_t / sparse.co2e_net_t as computed_low,
        dense.co2e_gross_t / dense.pue * industry.pue / best_location.co2e_net_t as computed_high
    from out.emissions as dense
    inner join out.emissions as sparse on sparse.run_id = 'gshard-600b'
    inner join core.pue_years as industry
        on
            industry.provider = industry_average()
            and industry.quarter is null
            and dense.run_year = industry.factor_year
    cross join best_location
    where dense.run_id = 'gpt-3-175b'
),

search as (
    select max(guessed.value / emissions.co2e_gross_t) as computed
    from raw.published_footprints as guessed
    inner join out.emissions as emissions on guessed.run_id = emissions.run_id
    where
        guessed.run_id = 'evolved-transformer-nas'
        and guessed.published_by = 'third_party'
        and guessed.quantity = 'co2e_t'
),

search_printed as (
    select floor(max(guessed.value) / max(try_cast(numbers.printed_text as double))) as printed -- said as 88
    from raw.paper_2021_numbers as numbers
    inner join raw.published_footprints as guessed on numbers.run_id = guessed.run_id
    where
        numbers.run_id = 'evolved-transformer-nas'
        and numbers.metric = 'gross_tco2e'
        and guessed.published_by = 'third_party'
        and guessed.quantity = 'co2e_t'
)

select
    'sparse-against-dense-energy' as claim_id,
    'Large sparse models can need less than a tenth of the energy of large dense ones' as claim,
    cast(null as double) as paper_low,
    printed.sparse_high as paper_high,
    sparse.computed_low,
    sparse.computed_high,
    sparse.computed_low < printed.sparse_high as holds,
    'energy of GShard-600B and of Switch Transformer over that of GPT-3' as computed_from
from printed
cross join sparse
union all
select
    'carbon-by-location' as claim_id,
    'Carbon-free share and CO2e differ 5 to 10 times between locations of one country and operator' as claim,
    printed.location_low as paper_low,
    printed.location_high as paper_high,
    location.computed_low,
    location.computed_high,
    location.computed_low <= printed.location_high and location.computed_high >= printed.location_low as holds,
    'T5 at Google Cloud regions in the United States, 2019: most over least carbon-free share, and gross CO2e' as computed_from
from printed
cross join location
union all
select
    'datacenter-efficiency' as claim_id,
    'Cloud datacenters are 1.4 to 2 times as efficient as typical ones' as claim,
    printed.datacenter_low as paper_low,
    printed.datacenter_high as paper_high,
    datacenter.computed_low,
    datacenter.computed_high,
    datacenter.computed_low <= printed.datacenter_high
    and datacenter.computed_high >= printed.datacenter_low as holds,
    'industry survey PUE over the PUE of the Google fleet, years with both' as computed_from
from printed
cross join datacenter
union all
select
    'accelerator-efficiency' as claim_id,
    'Accelerators made for machine learning are 2 to 5 times as effective as general ones' as claim,
    printed.accelerator_low as paper_low,
    printed.accelerator_high as paper_high,
    accelerator.computed_low,
    accelerator.computed_high,
    accelerator.computed_low <= printed.accelerator_high
    and accelerator.computed_high >= printed.accelerator_low as holds,
    'measured FLOP/s per watt: TPU v3 over V100, and TPU v2 over P100 on the same model' as computed_from
from printed
cross join accelerator
union all
select
    'all-together' as claim_id,
    'Model, datacenter, processor and location together change CO2e 100 to 1000 times' as claim,
    printed.together_low as paper_low,
    printed.together_high as paper_high,
    together.computed_low,
    together.computed_high,
    together.computed_low <= printed.together_high and together.computed_high >= printed.together_low as holds,
    'GPT-3 as run over GShard-600B as run (net), and in a typical datacenter over GShard-600B at the best US region'
        as computed_from
from printed
cross join together
union all
select
    'architecture-search-overestimate' as claim_id,
    'The 2019 guess for the architecture search was 88 times too high' as claim,
    search_printed.printed as paper_low,
    search_printed.printed as paper_high,
    search.computed as computed_low,
    search.computed as computed_high,
    abs(search.computed / search_printed.printed - 1) <= 0.02 as holds,
    'third-party estimate of 2019 over the computed gross CO2e of the Evolved Transformer search' as computed_from
from search
cross join search_printed
