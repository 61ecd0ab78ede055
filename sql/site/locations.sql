-- Cloud regions and sites by year. Direct and life-cycle intensities are never mixed in one line of a chart.
select
    p.region,
    p.provider,
    p.country,
    p.factor_year,
    p.intensity_basis,
    p.pue,
    p.pue_basis,
    p.gross_kg_per_kwh,
    p.gross_gsd,
    p.net_kg_per_kwh,
    p.net_basis,
    p.source_id,
    p.source_title
from locations as p
order by p.region, p.factor_year, p.intensity_basis
