"""A run of the dataset, or a described one, that is asked for its best location: `ote where`, ote.where.

Belongs here: what may be asked together, and the load that is meant. Does not belong here: the ranking
(where.py), or printing (cli/answers.py).
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from ote.answers import estimate, locations, quantities, where
from ote.errors import BadQuestionError

PLACED = ("energy_mwh", "co2e_gross_t", "co2e_net_t")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is asked: a run by its name, or one described by hardware, chips and hours (wall-clock)."""

    run: str = ""
    hardware: str | None = None
    chips: int = 1
    hours: float | None = None
    region: str | None = None
    provider: str | None = None
    country: str | None = None  # of the locations, not of the run
    start: str | None = None
    year: int | None = None
    basis: str | None = None  # of intensities: direct or lifecycle
    month: str = ""

    @property
    def given(self) -> dict[str, str]:
        """What is given of a run, by the columns of an estimate."""
        described = {
            "hardware": self.hardware,
            "provider": self.provider,
            "cloud_region": self.region,
            "started": self.start,
        }
        return {column: cell for column, cell in described.items() if cell is not None}


@dataclass(frozen=True, kw_only=True)
class Meant:
    """What the names that are asked for stand for, and the estimate of a described run."""

    names: Mapping[str, Any]
    described: Mapping[str, Any] | None


def meant(asked: Asked, database: Path) -> Meant:
    """What is asked for, by the names of the dataset.

    Raises:
        BadQuestionError: options contradict each other, or would do nothing.
        BadRunsError: a name is not known, and the nearest ones are named; or a quantity cannot be.
        NoDatabaseError: the database is missing, unreadable or of another version.
    """
    _refuse(asked)
    given, run = asked.given, {"chips": asked.chips, "training_hours": asked.hours}
    names = estimate.meant(given | (run if asked.hardware is not None else {}), database)
    names["run_year"] = names["run_year"] if "started" in given else None
    if not asked.hardware:
        return Meant(names=names, described=None)
    # Its location is still to be chosen.
    described = estimate.estimate_run({"hardware": asked.hardware} | run, database)
    return Meant(names=names, described=described)


def load(
    connection: duckdb.DuckDBPyConnection, run_id: str | None, known: Meant, year: int | None
) -> where.Load:
    """The run that is to be placed, in the year and the region that are asked for.

    Raises:
        NotFoundError: nothing is known of the run, the region or the year.
    """
    if known.described is None:
        found = where.load_of_run(connection, str(run_id))
    else:
        found = replace(where.load_of_estimate(known.described), year=where.years(connection)[1])
    if known.names["cloud_region"]:
        found = where.at_region(connection, found, known.names["cloud_region"])
    if known.names["run_year"]:
        found = replace(found, year=known.names["run_year"])
    return where.in_year(connection, found, year) if year is not None else found


def ranked(
    connection: duckdb.DuckDBPyConnection, found: where.Load, known: Meant, asked: Asked
) -> list[where.Location]:
    """The locations for a load, on the intensities that are asked for or most usual.

    Raises:
        NotFoundError: there is no such location.
    """
    provider = known.names["provider"]
    country = locations.country_code(asked.country) if asked.country else None
    basis = asked.basis or where.usual_basis(connection, found, provider, country)
    return where.ranked(connection, found, basis, provider, asked.year, country)


def as_json(location: where.Location) -> dict[str, Any]:
    """A location for programs: a guess is null, and `null_because` says why."""
    return quantities.without_guesses(asdict(location), PLACED)


def _refuse(asked: Asked) -> None:
    given, month = asked.given, asked.month
    if asked.basis not in (None, "direct", "lifecycle"):
        raise BadQuestionError(f"--basis {asked.basis}: expected direct or lifecycle.")
    if bool(asked.run) == ("hardware" in given):
        raise BadQuestionError("Give either the name of a run, or --hardware with --chips and --hours.")
    if asked.year is not None and "started" in given:
        raise BadQuestionError("--year and --start: give one of them.")
    for column, cell in given.items():
        option = estimate.COLUMNS[column][0]
        if not cell.strip():
            raise BadQuestionError(f"{option}: empty; leave it out, or give a value.")
        if month and column != "hardware":
            raise BadQuestionError(f"{option} does not go with --month, which ranks whole grids.")
    if month and asked.year is not None:
        raise BadQuestionError(
            f"--year {asked.year} does not go with --month, which has a year; leave one out."
        )
    if month and asked.basis == "direct":
        raise BadQuestionError(
            "--basis direct: with --month the hours of grids are ranked, which are lifecycle; leave one out."
        )
    _refuse_country(asked)
    _refuse_hours(asked)


def _refuse_country(asked: Asked) -> None:
    if asked.country is not None and not locations.country_code(asked.country):
        raise BadQuestionError(f"--country {locations.unknown_country(asked.country)}.")
    if asked.country is not None and asked.month:
        raise BadQuestionError("--country does not go with --month, which ranks whole grids.")


def _refuse_hours(asked: Asked) -> None:
    hours = asked.hours
    if asked.hardware is not None and hours is None:
        raise BadQuestionError(
            "--hours is missing; with --hardware, give the hours that the chips run, such as --hours 300."
        )
    if hours is not None and not (math.isfinite(hours) and hours > 0):
        raise BadQuestionError(f"--hours {hours:g}: expected a number above 0, the hours that the chips run.")
