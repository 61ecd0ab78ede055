-- How each month of a place's grid stood to its year, from the hourly sources. One row per location, month and basis.
select *
from core.grid_months
