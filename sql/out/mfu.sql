-- Observed model FLOP utilisation. One row per observation; suspect and repeated ones are named.
select
    model,
    run_id,
    hardware_id,
    chips,
    mfu,
    mfu_basis,
    precision,
    sequence_tokens,
    used_peak_tflops,
    mfu_set,
    source_id(source_url) as source_id,
    source_title,
    source_url,
    source_locator,
    verified
from raw.mfu
