-- A draw of a run takes four errors of its hours and three of each other factor (sql/totals/draws.sql); it would leave out more.
select
    run_id,
    if(factor = 'energy_mwh', 'chip_hours', factor) as drawn_factor,
    count(*) as error_count
from out.error_loads
group by run_id, drawn_factor
having count(*) > if(drawn_factor = 'chip_hours', 4, 3)
