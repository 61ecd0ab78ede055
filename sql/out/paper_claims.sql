-- The claims in the abstract of Patterson et al. 2021. One row per claim: the printed range, the same from the paper's own
-- inputs, and the same question asked of later data, by the geometric mean over groups of cases (paper_claim_evidence).
-- The interval of the mean is from how much the groups differ, widened as Student's t is for few groups, and from the
-- uncertainty within the groups, which counts in full: their estimates share errors. The verdict compares the mean with one
-- number, the weakest that the paper claims: the lower end of its range, or the upper bound.
with printed as (
    select
        max(value) filter (where metric = 'energy_ratio_upper_bound') as sparse_high,
        max(value) filter (where metric = 'co2e_variation_factor_low') as location_low,
        max(value) filter (where metric = 'co2e_variation_factor_high') as location_high,
        max(value) filter (where metric = 'energy_efficiency_factor_low') as datacenter_low,
        max(value) filter (where metric = 'energy_efficiency_factor_high') as datacenter_high,
        max(value) filter (where metric = 'effectiveness_factor_low') as accelerator_low,
        max(value) filter (where metric = 'effectiveness_factor_high') as accelerator_high,
        max(value) filter (where metric = 'carbon_reduction_factor_low') as together_low,
        max(value) filter (where metric = 'carbon_reduction_factor_high') as together_high,
        max(value) filter (where metric = 'estimate_too_high_google_factor') as search_factor
    from core.paper_numbers
),

reproduced as (
    select
        max(computed_value) filter (where metric = 'less_energy_factor') as sparse_factor,
        max(computed_value) filter (where metric = 'pue_improvement_factor') as datacenter_factor,
        max(computed_value) filter (
            where paper_table = 'Section 4.3' and metric = 'performance_per_watt_factor'
        ) as accelerator_low,
        max(computed_value) filter (
            where paper_table = 'Section 2.2' and metric = 'performance_per_watt_factor'
        ) as accelerator_high,
        max(computed_value) filter (where metric = 'estimate_too_high_google_factor') as search_factor
    from out.paper_reproduction
),

-- Georgia, where most of the runs were, over Iowa (Table 1) and over Oklahoma (footnote 24), net.
locations as (
    select
        max(value) filter (where run_id = 'evolved-transformer-nas' and metric = 'net_kgco2e_per_kwh') as georgia,
        max(value) filter (where run_id = 'transformer-big-tpuv2' and metric = 'net_kgco2e_per_kwh') as iowa,
        max(value) filter (where paper_table = 'Footnote 24' and metric = 'net_tco2e')
        / max(value) filter (where paper_table = 'Footnote 24' and metric = 'energy_mwh') as oklahoma
    from core.paper_numbers
),

stated as (
    select
        'sparse-against-dense-energy' as claim_id,
        'Large sparse models can need less than a tenth of the energy of large dense ones, at the same quality' as claim,
        cast(null as double) as paper_low,
        printed.sparse_high as paper_high,
        1 / reproduced.sparse_factor as reproduced_low,
        1 / reproduced.sparse_factor as reproduced_high,
        'energy of GShard-600B over GPT-3 (section 3); Switch Transformer over GPT-3 is 0.14' as reproduced_from,
        'energy of a sparse model over dense models with an equal score, mean over organisations' as computed_from,
        'organisation' as group_noun
    from printed
    cross join reproduced
    union all
    select
        'carbon-by-location' as claim_id,
        'CO2e differs 5 to 10 times between locations of one country and operator' as claim,
        printed.location_low as paper_low,
        printed.location_high as paper_high,
        locations.georgia / locations.iowa as reproduced_low,
        locations.georgia / locations.oklahoma as reproduced_high,
        'net intensity of Google in Georgia over Iowa (Table 1) and over Oklahoma (footnote 24)' as reproduced_from,
        'grid intensity of the regions of a cloud operator in the USA since 2021: highest over lowest, mean over operators'
            as computed_from,
        'operator' as group_noun
    from printed
    cross join locations
    union all
    select
        'carbon-by-location-net' as claim_id,
        'CO2e after carbon-free energy differs 5 to 10 times between locations of one country and operator' as claim,
        printed.location_low as paper_low,
        printed.location_high as paper_high,
        locations.georgia / locations.iowa as reproduced_low,
        locations.georgia / locations.oklahoma as reproduced_high,
        'net intensity of Google in Georgia over Iowa (Table 1) and over Oklahoma (footnote 24)' as reproduced_from,
        'net intensity of Google Cloud regions in the USA since 2021: highest over lowest, mean over years' as computed_from,
        'year' as group_noun
    from printed
    cross join locations
    union all
    select
        'datacenter-efficiency' as claim_id,
        'Cloud data centers are 1.4 to 2 times as efficient as typical ones' as claim,
        printed.datacenter_low as paper_low,
        printed.datacenter_high as paper_high,
        reproduced.datacenter_factor as reproduced_low,
        cast(null as double) as reproduced_high, -- a statement of another text, on utilization; not from PUE
        'US average PUE over Iowa (section 2.3); the paper cites 2 from another text' as reproduced_from,
        'PUE of the Uptime survey over the average of a cloud operator since 2021, mean over operators' as computed_from,
        'operator' as group_noun
    from printed
    cross join reproduced
    union all
    select
        'accelerator-efficiency' as claim_id,
        'Accelerators made for machine learning are 2 to 5 times as effective as general ones' as claim,
        printed.accelerator_low as paper_low,
        printed.accelerator_high as paper_high,
        reproduced.accelerator_low,
        reproduced.accelerator_high,
        'measured FLOP per joule: TPU v3 over V100 (section 4.3), TPU v2 over P100 (section 2.2; 5.6 and 6.1)'
            as reproduced_from,
        'usual FLOP per joule of an accelerator since 2021 over the newest GPU of its day, mean over accelerators'
            as computed_from,
        'accelerator' as group_noun
    from printed
    cross join reproduced
    union all
    select
        'all-together' as claim_id,
        'Model, data center, processor and location together change CO2e 100 to 1000 times' as claim,
        printed.together_low as paper_low,
        printed.together_high as paper_high,
        printed.datacenter_low * printed.accelerator_low * printed.location_low / printed.sparse_high as reproduced_low,
        printed.datacenter_high * printed.accelerator_high * printed.location_high / printed.sparse_high as reproduced_high,
        'product of the lower ends, and of the upper ends, of the four factors' as reproduced_from,
        'product of the later values of the four factors, with gross CO2e for the location' as computed_from,
        'factor' as group_noun
    from printed
    union all
    select
        'architecture-search-overestimate' as claim_id,
        'The 2019 guess for the architecture search was 88 times too high' as claim,
        printed.search_factor as paper_low,
        printed.search_factor as paper_high,
        reproduced.search_factor as reproduced_low,
        reproduced.search_factor as reproduced_high,
        'third-party estimate of 2019 over the net CO2e of the search as computed here' as reproduced_from,
        'the same: no later data are about this search' as computed_from,
        cast(null as varchar) as group_noun
    from printed
    cross join reproduced
),

groups as (
    select
        claim_id,
        case_group,
        avg(ln(case_ratio) order by case_id) as ln_ratio,
        avg(
            if(interval_meaning = 'uncertainty', pow(ln(case_ratio_p95 / case_ratio_p05) / (2 * 1.645), 2), 0)
            order by case_id
        ) as ln_variance
    from out.paper_claim_evidence
    where is_counted
    group by claim_id, case_group
),

means as (
    select
        claim_id,
        count(*) as group_count,
        avg(ln_ratio order by case_group) as ln_ratio,
        pow(stddev_samp(ln_ratio order by case_group) * student_widening(count(*) - 1), 2) / count(*)
        + avg(ln_variance order by case_group) as ln_variance
    from groups
    group by claim_id
    having count(*) >= 3 -- two groups say nothing about their spread
),

later as (
    from means
    union all by name
    select
        'all-together' as claim_id,
        count(*) as group_count,
        sum(if(claim_id = 'sparse-against-dense-energy', -ln_ratio, ln_ratio) order by claim_id) as ln_ratio,
        sum(ln_variance order by claim_id) as ln_variance
    from means
    where
        claim_id in (
            'sparse-against-dense-energy', 'carbon-by-location', 'datacenter-efficiency', 'accelerator-efficiency'
        )
    having count(*) = 4
),

judged as (
    select
        stated.*,
        later.group_count as later_groups_count,
        exp(later.ln_ratio) as later_ratio,
        exp(later.ln_ratio - 1.645 * sqrt(later.ln_variance)) as later_ratio_p05,
        exp(later.ln_ratio + 1.645 * sqrt(later.ln_variance)) as later_ratio_p95,
        -- The share of the distribution of the mean on the claimed side of the weakest number that the paper claims.
        normal_below(
            if(stated.paper_low is null, 1, -1)
            * (ln(coalesce(stated.paper_low, stated.paper_high)) - later.ln_ratio)
            / sqrt(later.ln_variance)
        ) as later_chance_fraction,
        case
            when stated.group_noun is null then 'reproduced'
            when later_chance_fraction >= 0.95 then 'supported_by_later_data'
            when later_chance_fraction <= 0.05 then 'not_supported'
            else 'cannot_be_told'
        end as verdict
    from stated
    left join later on stated.claim_id = later.claim_id
)

select
    claim_id,
    claim,
    paper_low,
    paper_high,
    coalesce(later_ratio_p05, reproduced_low) as computed_low,
    coalesce(later_ratio_p95, reproduced_high) as computed_high,
    case verdict when 'cannot_be_told' then null else verdict <> 'not_supported' end as holds,
    computed_from,
    reproduced_low,
    reproduced_high,
    reproduced_from,
    later_ratio,
    later_ratio_p05,
    later_ratio_p95,
    later_groups_count,
    later_chance_fraction,
    verdict,
    case
        when group_noun is null then 'The paper''s inputs give ' || printf('%.3g', reproduced_low) || '.'
        when later_ratio is null then 'Fewer than three groups of cases are known.'
        else
            'Later data: ' || printf('%.3g (90 %%: %.3g to %.3g), from ', later_ratio, later_ratio_p05, later_ratio_p95)
            || counted(later_groups_count, group_noun) || '. The claim needs '
            || if(paper_low is null, 'at most ', 'at least ') || printf('%.3g', coalesce(paper_low, paper_high)) || '; '
            || case verdict
                when 'supported_by_later_data' then 'at least 95 % of the distribution agrees with it.'
                when 'not_supported' then 'at most 5 % of the distribution agrees with it.'
                else printf('%.0f %% of the distribution agrees with it.', 100 * later_chance_fraction)
            end
    end as evidence
from judged
