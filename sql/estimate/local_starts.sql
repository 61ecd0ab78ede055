-- Runs that would be estimated by the hour if their time had a zone: one row per run, for the table problems.
select
    runs.row_number,
    given.line,
    'started' as column_name,
    given.started || ': a time without its zone; for hours expected UTC, such as 2024-03-01T14:30Z' as message
from runs
inner join given on runs.row_number = given.row_number
where runs.has_time_without_zone
