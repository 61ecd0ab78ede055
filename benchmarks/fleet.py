"""CPU seconds and memory of estimating many runs: `ote estimate --batch` next to other ways to do it.

Run: .venv/bin/python benchmarks/fleet.py [ROWS ...], with a database in warehouse/; it writes the tables into
docs/benchmarks.md. CODECARBON_PYTHON may name the Python of an environment that has codecarbon and pyarrow,
and PYTHONPATH a folder with PySpark. Each way runs in a process of its own, one after the other; ratios
within one run carry over to other machines, seconds do not.
"""

import compileall
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import fleet_runs

if TYPE_CHECKING:
    import pandas as pd

HERE = Path(__file__).parents[1]
DATABASE = Path(os.environ.get("OTE_DATABASE", HERE / "warehouse" / "emissions.duckdb"))
PAGE = HERE / "docs" / "benchmarks.md"
BEGIN, END = "<!-- tables of benchmarks/fleet.py -->", "<!-- end of the tables -->"
SIZES = (10_000, 100_000, 1_000_000)
MOST_ON_SPARK = 100_000  # rows; a million take minutes
# Rows of what goes row by row: more of them take as much longer as the last nine tenths of these.
FEW = {"mlco2-like loop": 100_000, "CodeCarbon's functions": 10_000}
WATTS = {
    "H100": 700,
    "NVIDIA A100-SXM4-80GB": 400,
    "A100 PCIe": 250,
    "V100": 300,
    "T4": 70,
    "A10G": 150,
    "L4": 72,
    "P100": 250,
}


def ours(source: Path, target: Path, full: bool) -> None:
    """`ote estimate --batch`."""
    from ote.answers.batch import estimate_batch

    estimate_batch(source, target, DATABASE, full=full)


def by_the_hour(source: Path, target: Path) -> None:
    """`ote estimate --batch --hourly-intensity`, with runs that start at an instant."""
    from ote.answers.batch import estimate_batch

    timed, hours = (source.with_name(f"{source.stem}.{name}.parquet") for name in ("timed", "hours"))
    estimate_batch(timed, target, DATABASE, hourly=str(hours))


def of_instants(source: Path, target: Path) -> None:
    """`ote estimate --batch` with the same runs."""
    ours(source.with_name(f"{source.stem}.timed.parquet"), target, full=False)


def on_spark(source: Path, target: Path) -> None:
    """`ote estimate --batch --engine spark --master local[2]`."""
    from ote import spark

    shutil.rmtree(target, ignore_errors=True)
    spark.estimate_batch(str(source), str(target), "local[2]", DATABASE)


def floor(source: Path, target: Path, full: bool) -> None:
    """Read the input, write the columns of our output, which are there already, and compute nothing."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set threads = 1")
        written = target.with_name(f"ours{' full' if full else ''}.parquet")
        for query in (f"select count(columns(*)) from '{source}'", copy(f"from '{written}'", target)):
            connection.execute(query).fetchall()


def copy(query: str, target: Path) -> str:
    """A COPY as ours writes it."""
    options = "compression zstd, compression_level 1, dictionary_size_limit 5000, write_bloom_filter false"
    return f"copy ({query}) to '{target}' (format parquet, {options})"


def merges(source: Path, target: Path) -> None:
    """As a user of pandas may: the tables of the dataset merged one after the other, columns as ours."""
    import duckdb
    import pandas as pd
    import pyarrow.parquet as pq

    runs = pd.read_parquet(source)
    with duckdb.connect(str(DATABASE), read_only=True) as connection:
        aliases = connection.sql("select lower(alias) as key, hardware_id from support.hardware_aliases").df()
        hardware = connection.sql("select hardware_id, name as hardware_name from hardware").df()
        power = connection.sql(
            "select hardware_id, watts_per_chip, watts_basis, watts_gsd, sustained_flop_per_s "
            "from hardware_power"
        ).df()
        regions = connection.sql("select lower(region) as region, provider, country from regions").df()
        factors = connection.sql(
            "with yearly as (from support.location_factors select *, cast(period as integer) as year "
            "where length(period) = 4) "
            "select factor, location_id, year, value, basis, gsd from yearly union all "
            "select 'lifecycle_kg_per_kwh', location_id, year, value, basis, gsd from yearly "
            "where factor = 'gross_kg_per_kwh' and intensity_basis = 'lifecycle' union all "
            "select 'market_kg_per_kwh', location_id, year, market_kg_per_kwh, market_basis, 1 "
            "from support.market_locations"
        ).df()
        overheads = connection.sql(
            "select overhead_ratio, overhead_ratio_p05, overhead_ratio_p95, version as dataset_version "
            "from left_out, release where overhead_basis = 'typical_project' limit 1"
        ).df()
    runs["key"] = runs["hardware"].str.lower()
    runs["region"] = runs["cloud_region"].str.lower()
    runs["year"] = runs["started"].str[:4].astype(int)
    runs = runs.merge(aliases.drop_duplicates("key"), on="key", how="left")
    for table, key in ((hardware, "hardware_id"), (power, "hardware_id"), (regions, "region")):
        runs = runs.merge(table, on=key, how="left")
    runs["location"] = runs["site_country"].fillna(runs["country"])
    runs["world"] = "WORLD"
    for factor, keys in (
        ("pue", ("cloud_region", "provider", "world")),
        ("gross_kg_per_kwh", ("cloud_region", "location", "world")),
        ("net_to_gross_ratio", ("cloud_region",)),
        ("lifecycle_kg_per_kwh", ("cloud_region", "location", "world")),
        ("market_kg_per_kwh", ("provider", "cloud_region", "location")),
    ):
        runs = _with_factor(runs, factors, factor, keys)
    hours = (runs["chips"] * runs["training_hours"]).fillna(
        runs["training_flop"] / runs["sustained_flop_per_s"] / 3600
    )
    it_mwh = (runs["energy_kwh"] / 1e3).fillna(hours * runs["watts_per_chip"] / 1e6)
    runs["energy_mwh"] = it_mwh * runs["pue"].fillna(runs["pue_value"])
    grid = (runs["carbon_intensity_g_per_kwh"] / 1e3).fillna(runs["gross_kg_per_kwh_value"])
    runs["co2e_gross_t"] = runs["energy_mwh"] * grid
    runs["gross_kg_per_kwh_value"], runs["net_kg_per_kwh"] = grid, grid * runs["net_to_gross_ratio_value"]
    runs["co2e_net_t"] = runs["co2e_gross_t"] * runs["net_to_gross_ratio_value"]
    runs["co2e_lifecycle_t"] = runs["energy_mwh"] * runs["lifecycle_kg_per_kwh_value"]
    runs["co2e_market_t"] = runs["energy_mwh"] * runs["market_kg_per_kwh_value"]
    _with_intervals(runs)
    for name in overheads:
        runs[name] = overheads[name][0]
    runs["row"], runs["chip_hours"] = range(1, len(runs) + 1), hours
    runs["chip_hours_basis"] = runs["training_hours"].isna().map({True: "flop", False: "chips_x_hours"})
    runs = runs.drop(columns=["pue", "site_country"]).rename(columns=NAMED)
    columns = pq.read_schema(target.with_name("ours.parquet")).names
    runs.reindex(columns=columns).to_parquet(target, compression="zstd")


def _with_intervals(runs: "pd.DataFrame") -> None:
    """The ends of the 90 % intervals of the totals of runs."""
    import numpy as np

    total = np.log(runs["watts_gsd"]) ** 2 + np.log(runs["pue_gsd"]) ** 2
    for name, factor in (
        ("energy_mwh", ""),
        ("co2e_gross_t", "gross_kg_per_kwh"),
        ("co2e_net_t", "net_to_gross_ratio"),
        ("co2e_lifecycle_t", "lifecycle_kg_per_kwh"),
        ("co2e_market_t", "market_kg_per_kwh"),
    ):
        spread = np.exp(1.645 * np.sqrt(total + (np.log(runs[f"{factor}_gsd"]) ** 2 if factor else 0)))
        runs[f"{name}_p05"], runs[f"{name}_p95"] = runs[name] / spread, runs[name] * spread


def _with_factor(
    runs: "pd.DataFrame", factors: "pd.DataFrame", factor: str, keys: Sequence[str]
) -> "pd.DataFrame":
    """The runs with the value, basis and gsd of a factor, by the first of the keys that has one."""
    of_factor = factors[factors["factor"] == factor].drop(columns="factor")
    for number, key in enumerate(keys):
        names = {f"location_id_{factor}_{number}": key, f"year_{factor}_{number}": "year"}
        of_key = of_factor.add_suffix(f"_{factor}_{number}").rename(columns=names)
        runs = runs.merge(of_key, on=[key, "year"], how="left")
    for part in ("value", "basis", "gsd"):
        best = runs[f"{part}_{factor}_0"]
        for number in range(1, len(keys)):
            best = best.fillna(runs[f"{part}_{factor}_{number}"])
        runs[f"{factor}_{part}"] = best
    return runs.drop(columns=[name for name in runs.columns if f"_{factor}_" in name and name[-1].isdigit()])


def loop(source: Path, target: Path) -> None:
    """As the ML CO2 Impact calculator: rated watts x hours x intensity of a region, row by row."""
    import pandas as pd

    rows = pd.read_parquet(source).to_dict("records")
    grams = {region: 50 + 40 * number for number, region in enumerate(fleet_runs.REGIONS)}
    answers = []
    for row in rows:
        hours = row["training_hours"] if row["training_hours"] == row["training_hours"] else 1.0
        kwh = WATTS.get(row["hardware"], 300) * row["chips"] * hours / 1000
        answers.append(
            {**row, "energy_kwh": kwh, "co2e_kg": kwh * grams.get(row["cloud_region"], 400) / 1000}
        )
    pd.DataFrame(answers).to_parquet(target, compression="zstd")


# Columns of ours by those of the merged tables. What needs more rules stays null, which costs pandas nothing.
NAMED = {"location": "site_country", "year": "run_year"} | {
    f"{factor}_{part}": name
    for factor, prefix in (
        ("pue", "pue"),
        ("gross_kg_per_kwh", "gross"),
        ("net_to_gross_ratio", "net"),
        ("lifecycle_kg_per_kwh", "lifecycle"),
        ("market_kg_per_kwh", "market"),
    )
    for part, name in (("value", factor), ("basis", f"{prefix}_basis"), ("gsd", f"{prefix}_gsd"))
}
CODECARBON = """
import sys
import pandas as pd
from codecarbon.core.emissions import Emissions
from codecarbon.core.units import Energy
from codecarbon.external.geography import CloudMetadata, GeoMetadata
from codecarbon.input import DataSource
emissions = Emissions(DataSource())
iso = dict(zip("US DE FR GB SE PL JP IN CA AU BR KR".split(),
               "USA DEU FRA GBR SWE POL JPN IND CAN AUS BRA KOR".split()))
answers = []
for row in pd.read_parquet(sys.argv[1]).to_dict("records"):
    hours = row["training_hours"] if row["training_hours"] == row["training_hours"] else 1.0
    energy = Energy.from_energy(kWh=300 * row["chips"] * hours / 1000)
    region = row["cloud_region"]
    if isinstance(region, str) and region.count("-") == 1:  # of the others CodeCarbon has no intensity
        kg = emissions.get_cloud_emissions(energy, CloudMetadata(provider="gcp", region=region))
    else:
        code = iso.get(row["site_country"], "USA")
        place = GeoMetadata(country_iso_code=code, country_name=code)
        kg = emissions.get_private_infra_emissions(energy, place)
    answers.append({**row, "energy_kwh": energy.kWh, "co2e_kg": kg})
pd.DataFrame(answers).to_parquet(sys.argv[2])
"""
WAYS: dict[str, Callable[[Path, Path], None]] = {
    "ours": lambda source, target: ours(source, target, full=False),
    "ours full": lambda source, target: ours(source, target, full=True),
    "floor": lambda source, target: floor(source, target, full=False),
    "floor full": lambda source, target: floor(source, target, full=True),
    "pandas merges": merges,
    "mlco2-like loop": loop,
    "ours, starts are instants": of_instants,
    "ours, by the hour": by_the_hour,
    "ours, Spark": on_spark,
}


def measured(command: list[str]) -> tuple[float, float, float]:
    """CPU seconds, wall seconds and GB of a process."""
    paths = [HERE / "pipelines", HERE / "benchmarks", os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
    begin = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[-3:]}: failed")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - begin, usage.ru_maxrss / 1e6  # kB to GB


def measured_to(rows: int, way: str, command: list[str], folder: Path) -> tuple[float, float, float]:
    """CPU seconds, wall seconds and GB of a way; if it is slow, on the line through two smaller sizes."""
    few = min(rows, FEW.get(way, rows))
    found = []
    for size in (few // 10, few) if few < rows else (few,):
        source = folder / f"{size}.parquet"
        if not source.exists():
            fleet_runs.write(size, source)
            fleet_runs.write_hourly(source)
        found.append(measured([*command, str(source), str(folder / f"{way}.parquet")]))
    cpu, wall, memory = found[-1]
    if few < rows:
        times = (rows - few) / (few - few // 10)
        cpu, wall = cpu + times * (cpu - found[0][0]), wall + times * (wall - found[0][1])
    return cpu, wall, memory


def compare(rows: int, folder: Path) -> Iterator[str]:
    """A line of a table for each way to estimate so many runs."""
    yield from (f"| way, {rows:,} rows | CPU s | wall s | GB | CPU / ours |", "|---|---|---|---|---|")
    least = 0.0
    for way in [*WAYS, "CodeCarbon's functions"]:
        command = [sys.executable, __file__, "--way", way]
        if way not in WAYS:
            if not (python := os.environ.get("CODECARBON_PYTHON")):
                yield f"| {way} | not run: CODECARBON_PYTHON is not set | | | |"
                continue
            command = [python, "-c", CODECARBON]
        if "Spark" in way and (not importlib.util.find_spec("pyspark") or rows > MOST_ON_SPARK):
            yield f"| {way} | not run: PySpark is not installed, or too many rows | | | |"
            continue
        cpu, wall, memory = measured_to(rows, way, command, folder)
        least = least or cpu
        mark = f" (from {FEW[way]:,} rows)" if FEW.get(way, rows) < rows else ""
        numbers = (cpu, wall, memory, cpu / least)
        yield f"| {way}{mark} | {' | '.join(f'{number:.2f}' for number in numbers)} |"


def main(sizes: list[int]) -> None:
    """Compare at each size, and write the tables into the page."""
    compileall.compile_dir(HERE / "pipelines", quiet=1)  # as pip does it, whatever the environment says
    tables = []
    for rows in sizes or SIZES:
        with TemporaryDirectory() as folder:
            lines = []
            for line in compare(rows, Path(folder)):
                print(line, flush=True)
                lines.append(line)
        tables.append("\n".join(lines))
    before, _, after = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = after.partition(END)
    made = "\n\n".join([BEGIN, *tables, END])
    PAGE.write_text(before + made + after, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--way"]:
        WAYS[sys.argv[2]](Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        main([int(float(rows)) for rows in sys.argv[1:]])
