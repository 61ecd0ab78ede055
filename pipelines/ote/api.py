"""The functions of `import ote`: the questions of the command line, for programs.

Energy is in MWh, emissions are in tonnes of CO2e, power in W, intensities in kg CO2e per kWh of electricity.
Columns that end in `_p05` and `_p95` are the ends of the 90 % interval. `basis` says how a number is known;
`ote explain BASIS` says what that means. Each error is an `ote.Error`, and its message is what the command
prints.

Belongs here: thin functions over ote.answers. Does not belong here: any answer. What a function needs is
imported when it is called, so that `import ote` costs nothing.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from ote.errors import BadQuestionError
from ote.places import DATABASE

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl

    from ote.answers.totals import Total

Kind = Literal["polars", "pandas", "duckdb"]


class UnknownTableError(BadQuestionError):
    """There is no table of that name in the database; the message names the nearest."""


def _database(database: str | Path | None) -> Path:
    return Path(database or os.environ.get("OTE_DATABASE") or DATABASE)


@overload
def estimate(
    runs: Mapping[str, Any] | None = None,
    /,
    *,
    database: str | Path | None = None,
    today: date | None = None,
    **run: Any,
) -> dict[str, Any]: ...
@overload
def estimate(
    runs: "pl.DataFrame", /, *, database: str | Path | None = None, today: date | None = None
) -> "pl.DataFrame": ...
@overload
def estimate(
    runs: "pd.DataFrame", /, *, database: str | Path | None = None, today: date | None = None
) -> "pd.DataFrame": ...
def estimate(
    runs: "Mapping[str, Any] | pl.DataFrame | pd.DataFrame | None" = None,
    /,
    *,
    database: str | Path | None = None,
    today: date | None = None,
    **run: Any,
) -> Any:
    """Estimate the energy and operational CO2e of runs from what is known of them.

    Give one run as keywords or as a mapping, or a data frame with a row for each run. What is not given
    comes from the dataset, by the fallback order of each factor. The method follows Patterson et al. 2021
    (arXiv:2104.10350): chip-hours x power x PUE x intensity of the grid.

    Args:
        runs: one run as a mapping, or a frame of Polars or pandas.
        database: the published DuckDB file. Default: OTE_DATABASE, else the one of the package.
        today: the date on which a run without `started` counts as started. Default: today.
        **run: one run. All are optional: model, hardware, chips, training_hours (h, wall-clock), chip_hours
            (h), training_flop (FLOP), watts_per_chip (W, whole system per accelerator, before PUE),
            energy_kwh (kWh, before PUE), metering, pue, provider, cloud_region, site_country, site_state,
            carbon_intensity_g_per_kwh (g CO2e per kWh), cfe_fraction (carbon-free share of your consumption,
            hour by hour, 0 to 1), market_g_per_kwh (g CO2e per kWh after contracts), started (YYYY-MM-DD,
            YYYY-MM or YYYY).

    Returns:
        For one run a mapping: dataset_version, energy_mwh (MWh, with PUE), co2e_gross_t and co2e_net_t (t),
        each with `_p05` and `_p95`. In `factors`: the value, gsd, basis, year and source of each factor. For
        a frame: a frame of the same library with a row for each run.

    Raises:
        BadRunsError: a value cannot be, contradicts another one, or too little is given. Every problem is
            named.
        NoDatabaseError: the database is missing, unreadable or of another version.

    Example:
        >>> import ote
        >>> run = ote.estimate(hardware="H100", chips=512, training_hours=300, cloud_region="us-central1")
        >>> run["energy_mwh_p05"] < run["energy_mwh"] < run["energy_mwh_p95"]
        True
    """
    from ote.answers import estimate as estimating

    if runs is not None and run:
        raise BadQuestionError("Give the runs as one argument, or one run as keywords, and not both.")
    return estimating.estimate(run if runs is None else runs, _database(database), today)


def why(run: str, *, database: str | Path | None = None) -> dict[str, Any]:
    """Derive the energy and CO2e of a run of the dataset: every factor, its source, and their product.

    The sources are those of the table `emission_factors`: for each factor the address, and the table, section
    or page in it.

    Args:
        run: name of a model, or run_id.
        database: the published DuckDB file. Default: OTE_DATABASE, else the one of the package.

    Returns:
        What `ote why RUN --json` prints. It has run_id, results (MWh and t, with p05, p95 and the formula)
        and factors (value, unit, gsd, basis, source). It also has figures that others published, and
        quantities that are in no total. The value of a guess is None, and `null_because` says why.

    Raises:
        UnknownRunError: no run has that name, or several do. `run_ids` has the runs that may be meant.
        NoDatabaseError: the database is missing, unreadable or of another version.
        BrokenDatabaseError: a published result is not the product of its factors.

    Example:
        >>> import ote
        >>> ote.why("GPT-3")["run_id"]
        'gpt-3-175b'
    """
    from ote.answers import names
    from ote.answers import why as deriving
    from ote.answers.published import open_database

    with open_database(_database(database), deriving.PROBE) as connection:
        found = deriving.tree(connection, names.find(connection, run).run_id)
    return deriving.without_guesses(found)


def where(
    run: str = "",
    *,
    hardware: str | None = None,
    chips: int = 1,
    hours: float | None = None,
    region: str | None = None,
    provider: str | None = None,
    start: str | None = None,
    year: int | None = None,
    basis: Literal["direct", "lifecycle"] | None = None,
    database: str | Path | None = None,
) -> list[dict[str, Any]]:
    """Rank the cloud regions for a run by CO2e in one year.

    Give the name of a run, or describe one with hardware, chips and hours. A region is ranked by net CO2e if
    its operator publishes its carbon-free energy, else by gross CO2e. The sources of PUE and intensity are
    those of the table `locations`.

    Args:
        run: name of a model, or run_id.
        hardware: accelerator, in any known spelling.
        chips: number of accelerators.
        hours: wall-clock hours (h).
        region: cloud region of the run.
        provider: rank only the regions of this operator.
        start: when the run started: YYYY-MM-DD, YYYY-MM or YYYY.
        year: year to rank. Default: the year of the run, else the newest one.
        basis: intensities to rank on. Default: the kind that most regions have.
        database: the published DuckDB file. Default: OTE_DATABASE, else the one of the package.

    Returns:
        A mapping for each region, as `ote where --json` prints it: rank, region, provider, country,
        chance_to_beat_next, and energy_mwh (MWh), co2e_gross_t and co2e_net_t (t), each with `_p05` and
        `_p95`. The rank is None if only factors of another year are known. The value of a guess is None, and
        `null_because` says why.

    Raises:
        BadQuestionError: arguments contradict each other; the message names the option of the command.
        BadRunsError: the hardware, region or provider is not known. The nearest names are given.
        UnknownRunError: no run has that name, or several do.
        NotFoundError: no location is known for this run, year or provider.
        NoDatabaseError: the database is missing, unreadable or of another version.

    Example:
        >>> import ote
        >>> best = ote.where(hardware="H100", chips=512, hours=300)[0]
        >>> best["rank"]
        1
    """
    from ote.answers import names, placing
    from ote.answers import where as ranking
    from ote.answers.published import open_database

    asked = placing.Asked(
        run=run, hardware=hardware, chips=chips, hours=hours, region=region, provider=provider, start=start,
        year=year, basis=basis,
    )  # fmt: skip
    known = placing.meant(asked, path := _database(database))
    with open_database(path, ranking.PROBE) as connection:
        run_id = names.find(connection, run).run_id if run else None
        load = placing.load(connection, run_id, known, year)
        return [placing.as_json(found) for found in placing.ranked(connection, load, known, asked)]


def find(
    *words: str,
    developer: str = "",
    country: str = "",
    year: int | str = "",
    hardware: str = "",
    domain: str = "",
    covers: str = "",
    hours: str | Sequence[str] = (),
    within: float | None = None,
    min_energy: float | str = "",
    sort: Literal["energy", "co2e", "interval", "published", "name"] = "energy",
    database: str | Path | None = None,
) -> list[dict[str, Any]]:
    """Search the training runs that have an estimate.

    Args:
        *words: words of a name or a developer. All of them must match.
        developer: developer or its organisation, or how the name begins.
        country: country of a developer or of the run, by code or name.
        year: year of publication, or a span such as "2020-2023".
        hardware: accelerator, or how its name begins.
        domain: what the model works on, such as "language".
        covers: what the row covers, such as "one_run".
        hours: how the hours are known, such as "disclosed"; one or several.
        within: only runs with an uncertainty of at most this factor (90 %), such as 2.
        min_energy: least energy: MWh, or text with a unit such as "2GWh".
        sort: order. Guesses always come last.
        database: the published DuckDB file. Default: OTE_DATABASE, else the one of the package.

    Returns:
        A mapping for each run, as `ote find --json` prints it: run_id, model, developer, energy_mwh (MWh) and
        co2e_gross_t (t), each with `_p05` and `_p95`, chip_hours_basis, solidity, source_url. The value of a
        guess is None, and `null_because` says why. Empty if nothing matches.

    Raises:
        BadQuestionError: a value is not known or cannot be read. The nearest is named.
        NoDatabaseError: the database is missing, unreadable or of another version.

    Example:
        >>> import ote
        >>> [run["run_id"] for run in ote.find("bloom", hours="disclosed")]
        ['bloom-176b']
    """
    from ote.answers import asking, search
    from ote.answers.published import open_database

    asked = asking.Asked(
        words=[word for given in words for word in given.split()],
        developer=developer,
        country=country,
        year=str(year),
        hardware=hardware,
        domain=domain,
        covers=covers,
        hours=[hours] if isinstance(hours, str) else hours,
        within=within,
        min_energy=str(min_energy),
    )
    if sort not in search.SORTS:
        raise BadQuestionError(f"--sort {sort}: expected one of {', '.join(search.SORTS)}.")
    with open_database(_database(database), search.PROBE) as connection:
        return search.without_guesses(search.search(connection, asking.wanted(connection, asked), sort))


def total(runs: Any, *, database: str | Path | None = None, judgement: float | None = None) -> "Total":
    """Add up runs, with the interval of the sum: draws of whole runs, in which shared errors are shared.

    Args:
        runs: a frame of Polars, pandas or Arrow with a column run_id, such as a selection of `emissions`.
        database: the published DuckDB file. Default: OTE_DATABASE, else the one of the package.
        judgement: share of the variance of Epoch AI's judgements that all of them have in common, from 0 to
            1. Default: that of the table error_shares.

    Returns:
        The number of runs, what is left out (parts, bounds, second rows of a training) and the largest run.
        The shares of measured, disclosed, inferred and guessed runs in the mean energy. In `sums`, for
        energy_mwh (MWh) and co2e_gross_t (t): p05, p50, p95, mean, and the standard error of the draws as a
        fraction.

    Raises:
        BadSelectionError: there is no such column, a run has no estimate, or no run is whole.
        NoDatabaseError: the database is missing, unreadable or of another version.

    Example:
        >>> import ote
        >>> ote.total({"run_id": ["gpt-3-175b", "bloom-176b"]}).runs
        2
    """
    from ote.answers import totals

    return totals.total(runs, _database(database), judgement)


def connect(database: str | Path | None = None) -> "duckdb.DuckDBPyConnection":
    """Open the database of the dataset with DuckDB, read-only, for SQL.

    Each table and column has its description and unit as a comment (duckdb_columns()).

    Args:
        database: the published DuckDB file. Default: OTE_DATABASE, else the one of the package.

    Raises:
        NoDatabaseError: the database is missing, unreadable or of another version.

    Example:
        >>> import ote
        >>> with ote.connect() as data:
        ...     data.sql("select count(*) > 1000 from emissions").fetchall()
        [(True,)]
    """
    from ote.answers.published import open_database

    return open_database(_database(database), "select version from release limit 0")


def load(table: str = "emissions", *, kind: Kind | None = None, database: str | Path | None = None) -> Any:
    """Read a whole table of the dataset.

    Args:
        table: one of the tables in docs/use-the-data.md, such as emissions or emission_factors.
        kind: what to return. Default: a frame of Polars if it is installed, else of pandas, else a
            relation of DuckDB.
        database: the published DuckDB file. Default: OTE_DATABASE, else the one of the package.

    Returns:
        The rows, with the columns and units of the data dictionary.

    Raises:
        UnknownTableError: there is no such table. The nearest is named.
        BadQuestionError: the library that is asked for is not installed.
        NoDatabaseError: the database is missing, unreadable or of another version.

    Example:
        >>> import ote
        >>> len(ote.load("emissions", kind="duckdb").columns) > 40
        True
    """
    connection = connect(database)
    known = [name for (name,) in connection.execute(TABLES).fetchall()]
    if table not in known:
        connection.close()
        raise UnknownTableError(_unknown(table, known))
    rows = connection.table(table)
    kind = kind or _installed()
    if kind == "duckdb":
        return rows
    if kind not in LIBRARIES:
        raise BadQuestionError(f"kind {kind!r}: expected polars, pandas or duckdb.")
    try:
        return rows.pl() if kind == "polars" else rows.df()
    except ModuleNotFoundError as error:
        raise BadQuestionError(
            f"kind {kind!r} needs {error.name}, which is not installed: pip install {LIBRARIES[kind]}"
        ) from None
    finally:
        connection.close()


TABLES = """
select table_name from duckdb_tables() where schema_name = 'main'
union all select view_name from duckdb_views() where schema_name = 'main' and not internal
order by 1
"""
LIBRARIES = {"polars": "polars pyarrow", "pandas": "pandas"}  # what to install for each kind of frame


def _installed() -> Kind:
    """The best kind of frame that can be made here."""
    from importlib.util import find_spec

    if find_spec("polars") and find_spec("pyarrow"):
        return "polars"
    return "pandas" if find_spec("pandas") else "duckdb"


def _unknown(table: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(table, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
    return f"{table!r} is not a table of the dataset; {hint}"


def get(version: str = "latest", *, source: str = "", into: str | Path = "releases") -> Path:
    """Download a release and check every byte; an interrupted download continues where it stopped.

    Args:
        version: version of the index of releases.
        source: address or folder of published releases. Default: the public address, if there is one.
        into: folder in which the release gets a folder of its own.

    Returns:
        The folder of the release.

    Raises:
        NotPublishedError: no such version, or its files are not those that were published.
    """
    from ote.releases import publishing

    return publishing.get(version, publishing.address(source), Path(into))
