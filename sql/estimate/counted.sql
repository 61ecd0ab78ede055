-- How many runs with an estimate name an accelerator, by what the notes on it depend on.
with refused as (
    select
        judged.name_no,
        judged.is_computed,
        judged.is_without_pue,
        count(*) as runs
    from judged
    semi join rejected on judged.row_number = rejected.row_number
    group by all
)

select
    names.hardware_id,
    names.hardware_name,
    names.is_ambiguous_hardware,
    names.counting,
    if(survey.is_computed, 'computed', 'measured') as energy_basis,
    if(survey.is_without_pue, null, 'disclosed') as pue_basis,
    cast(sum(survey.runs - coalesce(refused.runs, 0)) as bigint) as runs
from survey
inner join names on survey.name_no = names.name_no
left join refused
    on
        survey.name_no = refused.name_no
        and survey.is_computed = refused.is_computed
        and survey.is_without_pue = refused.is_without_pue
where names.hardware_name is not null
group by all
