-- Numbers that repeat what the name of a slice of TPUs has already: a number may be of one slice, and hours of slices, cores or
-- chips. One row per run and column. For runs to estimate and for rows of ote add.
with cells as (
    unpivot (
        select
            row_number,
            chips,
            chip_hours
        from given
    )
    on chips, chip_hours
    into name column_name value cell
)

select
    cells.row_number,
    cells.column_name,
    '''' || cells.cell || ''' with ' || given.hardware || ', a name that has a number already: '
    || if(cells.column_name = 'chips', 'expected 1 for one slice', 'expected chips and training_hours')
    || '; else name the hardware ' || countings.model || ', and give its ' || replace(cells.column_name, '_', '-')
        as message
from cells
inner join given on cells.row_number = given.row_number
inner join countings on given.hardware = countings.hardware
where
    countings.chips_each >= 1
    and (
        cells.column_name = 'chip_hours'
        or (
            try_cast(cells.cell as double) > 1
            and try_cast(cells.cell as double) in (
                countings.chips_each, try_cast(regexp_extract(trim(given.hardware), '[0-9]+$') as double)
            )
        )
    )
