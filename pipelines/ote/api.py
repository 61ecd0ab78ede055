"""The functions of `import ote`: they answer in a program what the commands answer on the command line.

Energy is in MWh, emissions are in tonnes of CO2e, power is in W, and carbon intensities are in kg CO2e per
kWh of electricity. Columns that end in `_p05` and `_p95` are the lower and upper end of the 90 % interval. A
`basis` is the method that gave a number; `ote explain NAME` shows what the basis NAME means. Each error is
an `ote.Error` with the message that the command prints, but it names the argument (`min_energy`) where the
command names the option (`--min-energy`).

Belongs here: thin functions over ote.answers. Does not belong here: any answer. What a function needs is
imported when it is called, so that `import ote` costs nothing.
"""

import functools
import inspect
import os
import re
import reprlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar, overload

from ote.errors import BadQuestionError, Error, with_arguments
from ote.names import one_line
from ote.places import DATABASE

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl
    from pydantic import ValidationError

    from ote.answers.totals import Total

Kind = Literal["polars", "pandas", "duckdb"]
Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class UnknownTableError(BadQuestionError):
    """The database has no table of that name. The message names the most similar table."""


def _answered(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """A function whose arguments have the types of its annotations, and whose errors name arguments."""

    @functools.wraps(function)
    def answer(*given: Given.args, **named: Given.kwargs) -> Answer:
        try:
            return function(*(call := _typed(function, given, named)).args, **call.kwargs)
        except Error as error:
            error.args = (with_arguments(str(error)),)
            raise

    return answer


def _typed(function: Callable[..., Any], given: Any, named: Any) -> inspect.BoundArguments:
    """The arguments of a call, each of the type of its annotation.

    Raises:
        BadQuestionError: an argument is missing, not known, or of another type.
    """
    from pydantic import ValidationError

    try:
        call = inspect.signature(function).bind(*given, **named)
    except TypeError as error:
        raise BadQuestionError(f"ote.{function.__name__}: {error}.") from None
    for name, value in call.arguments.items():
        is_many = call.signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
        try:
            convert = _converter(function, name)
            call.arguments[name] = tuple(map(convert, value)) if is_many else convert(value)
        except ValidationError as error:
            says = f"{name}={one_line(reprlib.repr(value))}: expected {_expected(error)}."
            raise BadQuestionError(says) from None
    return call


@functools.cache
def _converter(function: Callable[..., Any], name: str) -> Callable[[Any], Any]:
    """What turns a value into the type of an argument, or raises a ValidationError."""
    from types import SimpleNamespace
    from typing import Annotated, get_type_hints

    from pydantic import AfterValidator, Strict, TypeAdapter

    frames = SimpleNamespace(DataFrame=Annotated[Any, AfterValidator(_frame)])
    returned = {"Total": Any, "duckdb": SimpleNamespace(DuckDBPyConnection=Any)}
    hint = get_type_hints(function, localns={"pl": frames, "pd": frames, **returned}, include_extras=True)[
        name
    ]
    if hint == date | None:
        hint = Annotated[date, Strict()] | None  # else 0 were a date
    return TypeAdapter(hint).validate_python


def _frame(value: Any) -> Any:
    """A data frame of pandas or Polars, neither of which is imported to know it."""
    kinds = {f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(value).__mro__}
    is_frame = bool(kinds & {"pandas.DataFrame", "polars.DataFrame"})
    if not (is_frame and len(value.columns) and all(isinstance(name, str) for name in value.columns)):
        raise ValueError("a data frame (pandas or Polars) with named columns")
    return value


def _expected(error: "ValidationError") -> str:
    """What an argument should be, from the alternatives of its annotation."""
    says = (
        re.sub(r"^(Input should be|Input is not|Value error,) | for <.*|'|,? unable.*", "", each["msg"])
        for each in error.errors(include_url=False)
    )
    return " or ".join(dict.fromkeys(says)).replace("an instance of Sequence", "a list")


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
@_answered
def estimate(
    runs: "Mapping[str, Any] | pl.DataFrame | pd.DataFrame | None" = None,
    /,
    *,
    database: str | Path | None = None,
    today: date | None = None,
    **run: Any,
) -> Any:
    """Estimate the energy and operational CO2e of training runs from the facts that you know.

    Give one run, as keywords or as a mapping, or give several runs as a data frame (pandas or Polars) with
    one row per run. For every factor that you do not give, the dataset supplies the best value that it has.
    The method follows Patterson et al. 2021 (arXiv:2104.10350): chip-hours x power x PUE x carbon intensity
    of the grid.

    Args:
        runs: one run as a mapping, or several runs as a data frame (pandas or Polars).
        database: the DuckDB file of the dataset. Default: the path in the environment variable
            OTE_DATABASE, or else the file of the package.
        today: the date that is used as the start of a run without `started`. Default: today.
        **run: one run as keywords. All keywords are optional: model, hardware, chips, training_hours (h,
            wall-clock), chip_hours (h), training_flop (FLOP), watts_per_chip (W, whole system per
            accelerator, before PUE), energy_kwh (kWh, before PUE), metering, pue, provider, cloud_region,
            site_country, site_state, carbon_intensity_g_per_kwh (g CO2e per kWh), cfe_fraction (carbon-free
            share of your electricity, hour by hour, 0 to 1), market_g_per_kwh (g CO2e per kWh after
            contracts), started (YYYY-MM-DD, YYYY-MM or YYYY).

    Returns:
        For one run, a mapping. It has dataset_version, energy_mwh (MWh, with PUE), co2e_gross_t,
        co2e_lifecycle_t and co2e_net_t (t), each quantity also with `_p05` and `_p95`. To compare a run with
        runs of the dataset, use co2e_lifecycle_t. The item `factors` has the value, gsd (geometric standard
        deviation), basis, year and source of each factor. If you give a data frame, the function returns a
        data frame of the same library (pandas or Polars), with one row per run.

    Raises:
        BadRunsError: a value is impossible or contradicts another value, or too few facts are given. The
            message names every problem.
        NoDatabaseError: the database is missing, unreadable, or from another version of the package.

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


@_answered
def why(run: str, *, database: str | Path | None = None) -> dict[str, Any]:
    """Show how the energy and CO2e of a run of the dataset are computed: every factor with its source.

    The sources are the same as in the table `emission_factors`. Each factor has the address of its source,
    and the table, section or page in it.

    Args:
        run: name of a model, or a run_id of the dataset.
        database: the DuckDB file of the dataset. Default: the path in the environment variable
            OTE_DATABASE, or else the file of the package.

    Returns:
        A mapping, as `ote why RUN --json` prints it. It has run_id, results (MWh and t, with p05, p95 and the
        formula) and factors (value, unit, gsd, basis, source). It also has published figures for comparison,
        and quantities that are not included in the results (embodied emissions, water). If the interval is
        so wide that the estimate is a guess, its value is None, and `null_because` gives the reason.

    Raises:
        UnknownRunError: no run has that name, or several runs have it. The attribute `run_ids` lists the runs
            that may be meant.
        NoDatabaseError: the database is missing, unreadable, or from another version of the package.
        BrokenDatabaseError: a result in the database is not the product of its factors.

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


@_answered
def where(
    run: str = "",
    *,
    hardware: str | None = None,
    chips: int = 1,
    hours: float | None = None,
    region: str | None = None,
    provider: str | None = None,
    country: str | None = None,
    start: str | None = None,
    year: int | None = None,
    basis: Literal["direct", "lifecycle"] | None = None,
    database: str | Path | None = None,
) -> list[dict[str, Any]]:
    """Rank the cloud regions by the CO2e that a run would emit there in one year.

    Give the name of a run, or describe a run with hardware, chips and hours. If the operator of a region
    publishes its carbon-free energy, the region is ranked by net CO2e, otherwise by gross CO2e. The table
    `locations` has the sources of PUE and carbon intensity.

    Args:
        run: name of a model, or a run_id of the dataset.
        hardware: accelerator, in any known spelling.
        chips: number of accelerators.
        hours: duration of the run in wall-clock hours (h).
        region: cloud region of the run.
        provider: rank only the regions of this operator.
        country: rank only the regions of this country, as code or English name.
        start: when the run started: YYYY-MM-DD, YYYY-MM or YYYY.
        year: year of the grid data to rank by. Default: the year of the run; without run and start, the
            newest year.
        basis: kind of carbon intensity to rank by: direct or lifecycle. Default: the kind that is known for
            the location of the run, or else for most regions.
        database: the DuckDB file of the dataset. Default: the path in the environment variable
            OTE_DATABASE, or else the file of the package.

    Returns:
        A list with one mapping per region, as `ote where --json` prints it. Each mapping has rank, region,
        provider, country, and energy_mwh (MWh), co2e_gross_t and co2e_net_t (t), each with `_p05` and `_p95`.
        It also has chance_to_beat_next (probability of lower emissions than the next region) and
        ratio_to_actual (gross CO2e divided by gross CO2e of the run in its own location). The rank is None if
        the factors of the region are known only for another year. If the interval is so wide that the
        estimate is a guess, its value is None, and `null_because` gives the reason.

    Raises:
        BadQuestionError: arguments contradict each other, or have a value that is not known.
        BadRunsError: the hardware, region or provider is not known. The message has the most similar names.
        UnknownRunError: no run has that name, or several runs have it.
        NotFoundError: no location is known for this run, year or provider.
        NoDatabaseError: the database is missing, unreadable, or from another version of the package.

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
        run=run, hardware=hardware, chips=chips, hours=hours, region=region, provider=provider,
        country=country, start=start, year=year, basis=basis,
    )  # fmt: skip
    known = placing.meant(asked, path := _database(database))
    with open_database(path, ranking.PROBE) as connection:
        run_id = names.find(connection, run).run_id if run else None
        load = placing.load(connection, run_id, known, year)
        return [placing.as_json(found) for found in placing.ranked(connection, load, known, asked)]


@_answered
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
        *words: words of the model's name or of its developer. A run must match all words.
        developer: name of the developer or its organisation, or the beginning of the name.
        country: country of a developer or of the run, as code or name.
        year: year of publication, or a range such as "2020-2023".
        hardware: name of the accelerator, or the beginning of the name.
        domain: what the model works on, such as "language".
        covers: what the row covers, such as "one_run" for one whole run.
        hours: how the accelerator-hours are known, such as "disclosed" (published); one value or several.
        within: only runs with an uncertainty of at most this factor (90 %), such as 2.
        min_energy: only runs with at least this energy, as a number (MWh) or as text with a unit ("2GWh").
        sort: what the runs are sorted by. Guesses (estimates with very wide intervals) always come last.
        database: the DuckDB file of the dataset. Default: the path in the environment variable
            OTE_DATABASE, or else the file of the package.

    Returns:
        A list with one mapping per run, as `ote find --json` prints it. Each mapping has run_id, model,
        developer, energy_mwh (MWh) and co2e_gross_t (t), each with `_p05` and `_p95`, chip_hours_basis,
        solidity, and source_url. The value of a guess is None, and `null_because` gives the reason. The list
        is empty if no run matches.

    Raises:
        BadQuestionError: an argument has a value that is not known or cannot be read. The message has
            the most similar known value.
        NoDatabaseError: the database is missing, unreadable, or from another version of the package.

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
    with open_database(_database(database), search.PROBE) as connection:
        return search.without_guesses(search.search(connection, asking.wanted(connection, asked), sort))


@_answered
def total(runs: Any, *, database: str | Path | None = None, judgement: float | None = None) -> "Total":
    """Add up energy and CO2e of runs, with the interval of the sum.

    The sum is computed from random draws: possible values of all runs, which are added up. An error that
    several runs share is the same for them in each draw. Only whole runs are added up, each training once.

    Args:
        runs: a data frame (pandas, Polars or Arrow) or a DuckDB relation with a column run_id, such as
            selected rows of the table `emissions`.
        database: the DuckDB file of the dataset. Default: the path in the environment variable
            OTE_DATABASE, or else the file of the package.
        judgement: share of the variance of Epoch AI's estimates that is common to all of them, from 0 to 1.
            Default: the share in the table error_shares.

    Returns:
        An object with the number of runs, the run with the most energy, and the number of rows that are left
        out: parts of a run, upper or lower limits, and further rows of the same training. It also has the
        shares of measured, disclosed, inferred and guessed runs in the mean energy. Its attribute `sums` has
        energy_mwh (MWh), co2e_gross_t and co2e_lifecycle_t (t), each with p05, p50, p95, mean, and the
        standard error that comes from the random draws, as a fraction. A run_id that is given twice counts
        once.

    Raises:
        BadSelectionError: the data frame has no column run_id, a run has no estimate, or no
            run is a whole run.
        NoDatabaseError: the database is missing, unreadable, or from another version of the package.

    Example:
        >>> import ote
        >>> ote.total({"run_id": ["gpt-3-175b", "bloom-176b"]}).runs
        2
    """
    from ote.answers import totals

    return totals.total(runs, _database(database), judgement)


@_answered
def connect(database: str | Path | None = None) -> "duckdb.DuckDBPyConnection":
    """Open the database of the dataset with DuckDB (read-only), to query it with SQL.

    Each table has its description as a comment. Each column has its description and unit as a comment
    (see the DuckDB function duckdb_columns()).

    Args:
        database: the DuckDB file of the dataset. Default: the path in the environment variable
            OTE_DATABASE, or else the file of the package.

    Raises:
        NoDatabaseError: the database is missing, unreadable, or from another version of the package.

    Example:
        >>> import ote
        >>> with ote.connect() as data:
        ...     data.sql("select count(*) > 1000 from emissions").fetchall()
        [(True,)]
    """
    from ote.answers.published import open_database

    return open_database(_database(database), "select version from release limit 0")


@_answered
def load(table: str = "emissions", *, kind: Kind | None = None, database: str | Path | None = None) -> Any:
    """Read a whole table of the dataset.

    Args:
        table: a table of docs/use-the-data.md, such as emissions or emission_factors, but not emission_draws,
            which is only in the release, as parquet/emission_draws.parquet.
        kind: type of the result. Default: a Polars data frame if Polars is installed, or else a pandas data
            frame if pandas is installed, or else a DuckDB relation.
        database: the DuckDB file of the dataset. Default: the path in the environment variable
            OTE_DATABASE, or else the file of the package.

    Returns:
        All rows of the table. The data dictionary describes its columns and their units.

    Raises:
        UnknownTableError: the dataset has no such table. The message names the most similar table.
        BadQuestionError: the library that `kind` needs is not installed.
        NoDatabaseError: the database is missing, unreadable, or from another version of the package.

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
    try:
        return rows.pl() if kind == "polars" else rows.df()
    except ModuleNotFoundError as error:
        raise BadQuestionError(
            f"kind={kind!r} needs {error.name}, which is not installed: pip install {LIBRARIES[kind]}"
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

    from ote import catalog

    for other in catalog.public_tables():
        if other.parquet_only and other.stem == table:
            return (
                f"table={table!r} is not in the database, but in each release, as {other.parquet_file}. Read "
                f"it with polars.read_parquet or pandas.read_parquet; ote.get downloads a release."
            )
    near = get_close_matches(table, known, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
    return f"table={table!r} is not a table of the dataset; {hint}"


@_answered
def get(version: str = "latest", *, source: str = "", into: str | Path = "releases") -> Path:
    """Download a release and check every byte; an interrupted download continues where it stopped.

    Args:
        version: version to download, as listed in the index of releases.
        source: address or folder of published releases. Default: the public address, if there is one.
        into: folder to download to. The release gets its own folder in it.

    Returns:
        The folder of the release.

    Raises:
        MalformedSourceError: no source is given, or it is not an address or folder of releases.
        NotPublishedError: there is no such version, or the downloaded files differ from the published ones.
    """
    from ote.releases import publishing

    return publishing.get(version, publishing.address(source), Path(into))
