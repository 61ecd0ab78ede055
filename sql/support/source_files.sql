-- Every file of an upstream that went in, by its checksum. One row per file.
select
    source,
    file,
    url,
    sha256,
    size_bytes,
    http_status,
    retrieved_at,
    license
from raw.source_files
