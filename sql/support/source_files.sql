-- Every file of an upstream that went in, by its checksum. One row per file.
select *
from raw.source_files
