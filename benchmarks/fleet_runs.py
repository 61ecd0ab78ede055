"""Runs as a cluster's log may hold them, of any number and always the same: input of the benchmarks.

Run: .venv/bin/python benchmarks/fleet_runs.py ROWS FILE.parquet
"""

import sys
from pathlib import Path

import duckdb

# Accelerators, cloud regions and countries that every tool compared knows.
HARDWARE = (
    "H100",
    "NVIDIA A100-SXM4-80GB",
    "A100 PCIe",
    "V100",
    "T4",
    "A10G",
    "L4",
    "P100",
    "RTX 3090",
    "A40",
)
REGIONS = (
    *("us-central1", "us-east1", "us-west1", "europe-west1", "europe-west4", "asia-east1", "europe-north1"),
    *("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-1", "eastus", "westeurope"),
)
COUNTRIES = ("US", "DE", "FR", "GB", "SE", "PL", "JP", "IN", "CA", "AU", "BR", "KR")
# A run is a function of its number: x(n, k) is the k-th of several numbers from 0 to 1, by 64-bit hashes.
QUERY = """
copy (
    select
        'job-' || n as model,
        if(x(n, 1) < 0.97, any_of({hardware}, x(n, 2)), null) as hardware,
        cast(pow(2, floor(x(n, 3) * 10)) as integer) as chips,
        if(x(n, 4) < 0.9, round(pow(10, -1 + 3.5 * x(n, 5)), 2), null) as training_hours,
        if(x(n, 4) >= 0.95, pow(10, 17 + 5 * x(n, 5)), null) as training_flop,
        if(x(n, 4) between 0.9 and 0.95, round(pow(10, 3 * x(n, 5)), 3), null) as energy_kwh,
        if(x(n, 6) < 0.1, round(1.05 + 0.5 * x(n, 7), 2), null) as pue,
        if(x(n, 8) < 0.7, any_of({regions}, x(n, 9)), null) as cloud_region,
        if(x(n, 8) between 0.7 and 0.95, any_of({countries}, x(n, 9)), null) as site_country,
        if(x(n, 10) < 0.05, round(20 + 700 * x(n, 11)), null) as carbon_intensity_g_per_kwh,
        strftime(date '2018-01-01' + cast(floor(x(n, 12) * 2800) as integer), '%Y-%m-%d') as started
    from range({rows}) as numbers(n)
) to '{file}' (format parquet, compression zstd)
"""


def write(rows: int, file: Path) -> None:
    """Write runs to a Parquet file."""
    with duckdb.connect() as connection:
        connection.execute("set threads = 1")
        connection.execute(
            "create macro x(n, k) as (hash(n * 16 + k) >> 11) / 9007199254740992.0"  # 53 bits
        )
        connection.execute(
            "create macro any_of(names, y) as names[1 + cast(floor(y * len(names)) as integer)]"
        )
        lists = {"hardware": HARDWARE, "regions": REGIONS, "countries": COUNTRIES}
        names = {name: list(values) for name, values in lists.items()}
        connection.execute(QUERY.format(rows=rows, file=file, **names))


def write_hourly(file: Path) -> None:
    """Next to a file of runs: the same with instants as starts, and a series by the hour of their zones."""
    zones = [*REGIONS, *COUNTRIES]
    instant = "started || 'T' || lpad(cast(file_row_number % 24 as varchar), 2, '0') || ':30Z'"
    hours = "generate_series(timestamp '2018-01-01', timestamp '2026-06-01', interval 1 hour)"
    queries = {
        "timed": f"select * exclude (file_row_number) replace ({instant} as started) "
        f"from read_parquet('{file}', file_row_number = true)",
        "hours": "select zone, hour_utc, 20 + hash(zone || hour_utc) % 700 as carbon_intensity_g_per_kwh "
        f"from (select unnest({zones}) as zone) cross join (select unnest({hours}) as hour_utc)",
    }
    with duckdb.connect() as connection:
        connection.execute("set threads = 1")
        for name, query in queries.items():
            target = file.with_name(f"{file.stem}.{name}.parquet")
            connection.execute(f"copy ({query}) to '{target}' (format parquet, compression zstd)")


if __name__ == "__main__":
    write(int(float(sys.argv[1])), Path(sys.argv[2]))
