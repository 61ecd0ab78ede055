"""Faults of content, seeded into the accepted rows: each is stopped, or costs the rows that it is in.

The faults are those that upstreams have had (units, swapped or shifted columns, values edited in place) and
others of their kinds. What passes both is named in the report: see test_update.py.
"""

import random
from collections.abc import Callable
from datetime import date

import polars as pl
import pytest

from ote import catalog
from ote.ingestion import baseline
from ote.update import likeness, mixes, results, rows

BASELINE = catalog.ROOT / "warehouse" / "baseline"
Fault = Callable[[pl.DataFrame], pl.DataFrame]
RETRIEVED = date(2026, 11, 29)
STOPPED, QUARANTINED = "stopped", "quarantined"
G = "carbon_intensity_g_per_kwh"
FLOP = "upstream_training_flop"
MODEL = {"file": "all_ai_models.csv", "organizations": "X", "countries": "France", "domain": "Language"}


def cells(
    column: str, change: Callable[[pl.Expr], pl.Expr], share: float = 1, where: pl.Expr | None = None
) -> Fault:
    """Change the known cells of a column, or a share of them drawn by a seed, where a condition holds."""

    def fault(frame: pl.DataFrame) -> pl.DataFrame:
        draw = random.Random(7)
        drawn = pl.Series("drawn", [draw.random() < share for _ in range(frame.height)])
        hit = pl.col("drawn") & pl.col(column).is_not_null() & (pl.lit(True) if where is None else where)
        changed = pl.when(hit).then(change(pl.col(column))).otherwise(column).alias(column)
        return frame.with_columns(drawn).with_columns(changed).drop("drawn")

    return fault


def times(column: str, factor: float, share: float = 1, where: pl.Expr | None = None) -> Fault:
    def scaled(cell: pl.Expr) -> pl.Expr:
        number = cell.cast(pl.Float64) * factor
        whole = number.round(0).cast(pl.Int64, strict=False).cast(pl.String)
        return (
            pl.when((number == number.round(0)) & (number < 2**53))
            .then(whole)
            .otherwise(number.cast(pl.String))
        )

    return cells(column, scaled, share, where)


def filled(column: str, value: str, share: float = 1) -> Fault:
    """Fill the empty cells of a column."""

    def fault(frame: pl.DataFrame) -> pl.DataFrame:
        draw = random.Random(7)
        drawn = pl.Series("drawn", [draw.random() < share for _ in range(frame.height)])
        hit = pl.col("drawn") & pl.col(column).is_null()
        made = pl.when(hit).then(pl.lit(value)).otherwise(column).alias(column)
        return frame.with_columns(drawn).with_columns(made).drop("drawn")

    return fault


def to(value: str | None) -> Callable[[pl.Expr], pl.Expr]:
    return lambda cell: pl.lit(value, dtype=pl.String)


def swapped(one: str, other: str) -> Fault:
    return lambda frame: frame.with_columns(pl.col(one).alias(other), pl.col(other).alias(one))


def renamed(column: str, one: str, other: str) -> Fault:
    return lambda frame: frame.with_columns(pl.col(column).replace({one: other, other: one}))


def shuffled(column: str) -> Fault:
    return lambda frame: frame.with_columns(frame[column].shuffle(seed=1))


def new_year(of: str, year: str, fault: Fault = lambda frame: frame) -> Fault:
    return lambda frame: pl.concat([frame, fault(frame.filter(year=of)).with_columns(year=pl.lit(year))])


def new_row(**given: str) -> Fault:
    return lambda frame: pl.concat(
        [frame, pl.DataFrame([{c: given.get(c) for c in frame.columns}], schema=frame.schema)]
    )


# Seven billion parameters and 15 trillion tokens.
SEVEN_B = MODEL | {"published_date": "2025-06-01", "upstream_parameters": "7e9", FLOP: "6.3e23"}
US, IOWA = pl.col("entity") == "United States", pl.col("region") == "us-central1"
ALPHACODE, PALM = pl.col("model") == "AlphaCode", pl.col("model") == "PaLM (540B)"
DAY = "published_date"
OWID, GOOGLE, EGRID = "owid_electricity", "google_region_carbon", "epa_egrid"
EPOCH, CHIPS, CENTERS = "epoch_models", "epoch_hardware", "epoch_data_centers"
FAULTS: dict[str, tuple[str, Fault, str]] = {
    "kg for g": (OWID, times(G, 1e-3), STOPPED),
    "mg for g": (OWID, times(G, 1e3), STOPPED),
    "twice as much everywhere": (OWID, times(G, 2), STOPPED),
    "twice as much in one country": (OWID, times(G, 2, where=US), STOPPED),
    "a tenth in one cell": (OWID, times(G, 0.1, where=US & (pl.col("year") == "2024")), STOPPED),
    "two countries swapped": (OWID, renamed("entity", "France", "Poland"), STOPPED),
    "two like countries swapped": (OWID, renamed("entity", "United States", "Germany"), STOPPED),
    "the world three times": (OWID, times(G, 3, where=pl.col("entity") == "World"), STOPPED),
    "a new year of one gram": (OWID, new_year("2024", "2026", cells(G, to("1"))), STOPPED),
    "a new year of five grams": (OWID, new_year("2024", "2026", cells(G, to("5"))), STOPPED),
    "a new year three times": (OWID, new_year("2024", "2026", times(G, 3)), STOPPED),
    "a new year that repeats the last": (OWID, new_year("2025", "2026"), STOPPED),
    "a year emptied": (OWID, cells(G, to(None), where=pl.col("year") == "2024"), STOPPED),
    "hydro and solar swapped": (OWID, swapped("hydro_twh", "solar_twh"), STOPPED),
    "GWh for TWh": (OWID, times("generation_twh", 1000), STOPPED),
    "nuclear lost": (OWID, cells("nuclear_twh", to(None)), STOPPED),
    "renewables in percent": (OWID, times("renewables_fraction", 100), STOPPED),
    "one zero": (OWID, cells(G, to("0"), where=US & (pl.col("year") == "2019")), QUARANTINED),
    "regions: kg for g": (GOOGLE, times(G, 1e-3), STOPPED),
    "regions: all carbon-free": (GOOGLE, cells("cfe_fraction", to("1.0")), STOPPED),
    "regions: percent": (GOOGLE, times("cfe_fraction", 100), STOPPED),
    "regions: the other share": (
        GOOGLE, cells("cfe_fraction", lambda c: (1 - c.cast(pl.Float64)).cast(pl.String)), STOPPED,
    ),
    "regions: a new year all carbon-free": (
        GOOGLE, new_year("2024", "2025", cells("cfe_fraction", to("1.0"))), STOPPED,
    ),
    "regions: a new year twice": (GOOGLE, new_year("2024", "2025", times(G, 2)), STOPPED),
    "regions: a new year that repeats the last": (GOOGLE, new_year("2024", "2025"), STOPPED),
    "regions: a new year that repeats an earlier one": (GOOGLE, new_year("2023", "2026"), STOPPED),
    "regions: a new one of 600 g in a clean country": (
        GOOGLE,
        new_row(
            region="europe-north3", location="Oslo", year="2025", cfe_fraction="0.99",
            carbon_intensity_g_per_kwh="600", intensity_basis="direct",
        ),
        STOPPED,
    ),
    "regions: a new one of a tenth": (
        GOOGLE,
        new_row(
            region="europe-east1", location="Warsaw", year="2025", cfe_fraction="0.3",
            carbon_intensity_g_per_kwh="60", intensity_basis="direct",
        ),
        STOPPED,
    ),
    "regions: two swapped": (GOOGLE, renamed("region", "us-central1", "europe-west1"), STOPPED),
    "regions: one three times": (GOOGLE, times(G, 3, where=IOWA & (pl.col("year") == "2021")), STOPPED),
    "regions: direct called life-cycle": (GOOGLE, renamed("intensity_basis", "direct", "lifecycle"), STOPPED),
    "regions: years moved by one": (
        GOOGLE, lambda f: f.with_columns((pl.col("year").cast(pl.Int64) + 1).cast(pl.String)), STOPPED,
    ),
    "subregions: kg for lb": (EGRID, times("co2_lb_per_mwh", 0.4536), STOPPED),
    "subregions: short tons for lb": (EGRID, times("co2_lb_per_mwh", 1 / 2000), STOPPED),
    "subregions: half the CO2e": (EGRID, times("co2e_lb_per_mwh", 0.5), STOPPED),
    "subregions: two swapped": (EGRID, renamed("region", "MROW", "NWPP"), STOPPED),
    "subregions: coal in percent": (EGRID, times("coal_fraction", 100), STOPPED),
    "FLOP filled in": (EPOCH, filled(FLOP, "1e24", 0.3), STOPPED),
    "FLOP of some a billionth": (EPOCH, times(FLOP, 1e-9, 0.05), STOPPED),
    "FLOP a thousand times": (EPOCH, times(FLOP, 1e3), STOPPED),
    "FLOP of a hundredth of them three times": (EPOCH, times(FLOP, 3, 0.01), STOPPED),
    "FLOP shuffled": (EPOCH, shuffled(FLOP), STOPPED),
    "FLOP of the largest a hundred times": (
        EPOCH, times(FLOP, 1e2, where=pl.col("model") == "Gemini 1.0 Ultra"), QUARANTINED,
    ),
    "FLOP of today in 2012": (
        EPOCH, new_row(model="Old", published_date="2012-02-01", **{FLOP: "1e24"}, **MODEL), QUARANTINED,
    ),
    "FLOP beyond any": (
        EPOCH, new_row(model="New", published_date="2026-02-01", **{FLOP: "6e27"}, **MODEL), QUARANTINED,
    ),
    "FLOP of a new model a thousand times what its size allows": (
        EPOCH, new_row(model="New-7B", **SEVEN_B | {FLOP: "6.3e26"}), QUARANTINED,
    ),
    "FLOP of a new model a ten-thousandth": (
        EPOCH, new_row(model="New-7B", **SEVEN_B | {FLOP: "6.3e19"}), QUARANTINED,
    ),
    "parameters of a new model in billions": (
        EPOCH, new_row(model="New-7B", **SEVEN_B | {"upstream_parameters": "7e6"}), QUARANTINED,
    ),
    "nodes for chips": (EPOCH, times("chips", 8), STOPPED),
    "nodes for chips in some": (EPOCH, times("chips", 8, 0.05), STOPPED),
    "minutes for hours": (EPOCH, times("training_hours", 60), STOPPED),
    "days for hours": (EPOCH, times("training_hours", 1 / 24), STOPPED),
    "chip-hours a thousand times": (EPOCH, times("chip_hours", 1000), STOPPED),
    "chip-hours filled in": (EPOCH, filled("chip_hours", "1e7", 0.2), STOPPED),
    "hours that cannot be": (EPOCH, cells("training_hours", to("90000"), where=PALM), QUARANTINED),
    "a day to come": (EPOCH, cells(DAY, to("2099-01-01"), where=ALPHACODE), QUARANTINED),
    "a day before computers": (EPOCH, cells(DAY, to("1900-01-01"), where=ALPHACODE), QUARANTINED),
    "no day at all": (EPOCH, cells(DAY, to("31/12/2022"), where=ALPHACODE), QUARANTINED),
    "one chip for all": (EPOCH, cells("hardware", to("Google TPU v2")), STOPPED),
    "one generation for another": (
        EPOCH, cells("hardware", lambda c: c.str.replace("NVIDIA A100", "NVIDIA V100")), STOPPED,
    ),
    "one country for all": (EPOCH, cells("countries", to("France")), STOPPED),
    "countries shuffled": (EPOCH, shuffled("countries"), STOPPED),
    "organisations shuffled": (EPOCH, shuffled("organizations"), STOPPED),
    "base models lost": (EPOCH, cells("base_model", to(None)), STOPPED),
    "all of them sure": (EPOCH, cells("confidence", to("Confident")), STOPPED),
    "utilisation twice": (EPOCH, times("mfu", 2), STOPPED),
    "a letter that cannot be seen": (EPOCH, new_row(model="GPT\u200b-4", **MODEL), QUARANTINED),
    "a letter of another script": (EPOCH, new_row(model="GP\u0422-4", **MODEL), QUARANTINED),
    "a name turned around": (EPOCH, new_row(model="\u202eevil", **MODEL), QUARANTINED),
    "a name in wide letters": (EPOCH, new_row(model="\uff27\uff30\uff34-4", **MODEL), QUARANTINED),
    "a name told apart by a blank": (EPOCH, new_row(model="Alpha Code", **MODEL), QUARANTINED),
    "an organisation with a colour": (
        EPOCH, new_row(model="X1", **MODEL | {"organizations": "\x1b[31mX"}), QUARANTINED,
    ),
    "16 and 8 bits swapped": (CHIPS, swapped("peak_tensor_fp16_flop_per_s", "peak_fp8_flop_per_s"), STOPPED),
    "rated power twice": (CHIPS, times("tdp_w", 2), STOPPED),
    "rated power filled in": (CHIPS, filled("tdp_w", "300"), STOPPED),
    "sparse for dense": (CHIPS, times("peak_tensor_fp16_flop_per_s", 2), STOPPED),
    "GB for bytes": (CHIPS, times("memory_bytes", 1e-9), STOPPED),
    "kW for MW": (CENTERS, times("power_mw", 1000), STOPPED),
    "MW for W": (CENTERS, times("power_mw", 1e-3), STOPPED),
    "joules for kWh": ("mlperf_training", times("energy_kwh", 3.6e6), STOPPED),
    "watts of a node": ("mlperf_training", times("watts_per_chip", 8), STOPPED),
    "hours: twice as much": ("eia930_hourly", times("carbon_intensity_lifecycle_g_per_kwh", 2), STOPPED),
    "hours: two zones swapped": ("carboncast_hourly", renamed("zone", "DE", "PL"), STOPPED),
}  # fmt: skip


def test_a_new_model_of_usual_compute_is_taken_and_an_unusual_one_waits() -> None:
    source = catalog.sources()[EPOCH]
    text = pl.read_csv(baseline.path_of(BASELINE, source), infer_schema=False)
    before, _ = baseline.load(BASELINE, source)
    right = rows.judged(source, new_row(model="New-7B", **SEVEN_B)(text), before, RETRIEVED)
    assert (right.exceeded, right.quarantined.height, right.rows.height) == ([], 0, before.height + 1)
    wrong = new_row(model="New-7B", **SEVEN_B | {FLOP: "6.3e26"})(text)
    (row,) = rows.judged(source, wrong, before, RETRIEVED).quarantined.to_dicts()
    assert (row["check_name"], row["cell"]) == ("likeness", "6.3e+26")
    assert row["message"].startswith("As 6 x parameters x tokens it is 1.5e+16 tokens; the middle 90 % of ")
    assert "--refetch epoch_models --accept" in row["message"]
    taken = rows.judged(source, wrong, before, RETRIEVED, is_accepted=True)
    assert (taken.quarantined.height, taken.rows.height) == (0, before.height + 1)


def test_a_model_of_ten_times_the_parameters_is_still_of_like_size() -> None:
    """Models of 7 billion parameters say what is usual for one of 70; most models are of other sizes."""

    def of(size: float, tokens: float, count: int, name: str) -> pl.DataFrame:
        flop = likeness.FLOP_PER_PARAMETER * size * tokens
        row = {"published_date": date(2025, 1, 1), "upstream_parameters": size, "domain": "Language"}
        return pl.DataFrame([row | {"model": f"{name}-{number}", FLOP: flop} for number in range(count)])

    known = pl.concat([of(7e9, 1e12, likeness.LEAST, "like"), of(1e6, 1e15, 10 * likeness.LEAST, "other")])
    found = likeness.unlike_models(
        catalog.sources()[EPOCH], known, pl.concat([known, of(70e9, 1e15, 1, "new")])
    )
    assert found["row_key"].to_list() == ["new-0"]
    assert f"of {likeness.LEAST} like models" in found["message"][0]


def test_an_accepted_model_that_is_unlike_others_may_change_a_little() -> None:
    """DLRM-2022 has few operations for each of its parameters, which are tables of a recommender."""
    source = catalog.sources()[EPOCH]
    before, _ = baseline.load(BASELINE, source)
    text = pl.read_csv(baseline.path_of(BASELINE, source), infer_schema=False)
    dlrm = pl.col("model") == "DLRM-2022"
    others = before.filter(~dlrm)
    new = likeness.unlike_models(source, others, before)
    assert new["row_key"].to_list() == ["DLRM-2022"]
    found = rows.judged(source, times(FLOP, 1.01, where=dlrm)(text), before, RETRIEVED)
    assert (found.exceeded, found.quarantined.height) == ([], 0)


def test_of_the_real_models_of_a_year_few_are_unlike_those_of_the_years_before() -> None:
    source = catalog.sources()[EPOCH]
    accepted = baseline.load(BASELINE, source)[0].drop_nulls("published_date")
    year = pl.col("published_date").dt.year()
    waiting = {
        y: likeness.unlike_models(source, accepted.filter(year < y), accepted.filter(year <= y)).height
        for y in range(2020, 2027)  # in 2019 13 of 73 were, as language models began to read the web
    }
    assert sum(waiting.values()) <= 20
    assert max(waiting.values()) <= 6


@pytest.mark.parametrize("name", FAULTS)
def test_a_seeded_fault_is_stopped_or_costs_its_rows(name: str) -> None:
    source_name, fault, outcome = FAULTS[name]
    source = catalog.sources()[source_name]
    text = pl.read_csv(baseline.path_of(BASELINE, source), infer_schema=False)
    before, _ = baseline.load(BASELINE, source)
    judged = rows.judged(source, fault(text), before, RETRIEVED)
    if outcome == STOPPED:
        assert judged.exceeded
    else:
        assert judged.exceeded == []
        assert judged.quarantined["row_key"].n_unique() == 1
        assert judged.rows.height == before.height - len(judged.change["examples_gone"])


def test_the_accepted_rows_themselves_are_neither() -> None:
    for source in catalog.sources().values():
        text = pl.read_csv(baseline.path_of(BASELINE, source), infer_schema=False)
        before, _ = baseline.load(BASELINE, source)
        judged = rows.judged(source, text, before, RETRIEVED)
        assert (judged.exceeded, judged.quarantined.height, judged.rows.height) == ([], 0, before.height)


def _leaping(source: str, year: int, places: list[str]) -> list[str]:
    """Why a new year is not taken in which some locations have a quarter of their carbon intensity."""
    accepted = baseline.load(BASELINE, catalog.sources()[source])[0]
    region = "region" if "region" in accepted.columns else "entity"
    intensity, last = pl.col("carbon_intensity_g_per_kwh"), accepted.filter(year=accepted["year"].max())
    new = last.with_columns(
        pl.lit(year).cast(accepted.schema["year"]).alias("year"),
        pl.when(pl.col(region).is_in(places)).then(intensity / 4).otherwise(intensity * 0.98),
    )
    found = rows.judged(catalog.sources()[source], pl.concat([accepted, new]), accepted, date(year + 1, 6, 1))
    return [text for text in found.exceeded if "carbon_intensity" in text]


@pytest.mark.parametrize(
    ("source", "year", "place", "others"),
    [
        ("google_region_carbon", 2026, "us-central1", []),
        ("owid_electricity", 2026, "United States", ["Norway", "Sweden"]),
    ],
)
def test_one_new_value_that_leaps_needs_a_person(
    source: str, year: int, place: str, others: list[str]
) -> None:
    (text,) = _leaping(source, year, [place, *others])
    assert f"{place}, {year}: " in text
    assert _leaping(source, year, []) == []


@pytest.mark.parametrize(
    ("source", "column", "old", "new", "says"),
    [
        ("google_region_carbon", "region", "us-central1", "us\u2011central1", "letters A-Z, digits"),
        ("epoch_models", "model", "Llama 3.1-405B", "Llama 3.1 405B", "looks like 'Llama 3.1-405B'"),
        ("epoch_models", "model", "Llama 3.1-405B", '=HYPERLINK("x")', "a spreadsheet would run it"),
    ],
)
def test_a_name_that_is_not_what_it_seems_costs_its_row(
    source: str, column: str, old: str, new: str, says: str
) -> None:
    accepted = baseline.load(BASELINE, catalog.sources()[source])[0]
    twin = accepted.filter(pl.col(column) == old).with_columns(pl.lit(new).alias(column))
    found = rows.judged(catalog.sources()[source], pl.concat([accepted, twin]), accepted, date(2026, 11, 29))
    assert found.rows.height == accepted.height
    assert {row for row in found.quarantined["row_key"] if row.startswith(new)}
    assert any(says in text for text in found.quarantined["message"])


IOWA_2025 = {"region": "us-central1", "year": 2025}


def _twice(accepted: pl.DataFrame, other: dict[str, object], first: str, **of: object) -> rows.Candidate:
    """What an update makes of rows of which one comes twice, the other time with some other cells."""
    twin = accepted.filter(**of).with_columns(**{name: pl.lit(value) for name, value in other.items()})
    parts = [twin.cast(accepted.schema), accepted]
    frame = pl.concat(parts if first == "twin" else parts[::-1])
    return rows.judged(catalog.sources()[GOOGLE], frame, accepted, RETRIEVED)


@pytest.mark.parametrize("first", ["twin", "accepted"])
def test_of_two_rows_of_one_key_the_accepted_one_stays_wherever_it_comes(first: str) -> None:
    accepted = baseline.load(BASELINE, catalog.sources()[GOOGLE])[0]
    found = _twice(accepted, {G: 100.0}, first, **IOWA_2025)
    assert (found.exceeded, found.change["cells_changed"]) == ([], {})
    assert found.rows.sort("region", "year").equals(accepted.sort("region", "year"))
    (row,) = found.quarantined.rows(named=True)
    assert (row["row_key"], row["check_name"]) == ("us-central1 / 2025", "key")
    assert f"{G} 100.0" in row["cell"]
    assert "with other values: the accepted row stays" in row["message"]


def test_an_accepted_row_stays_also_where_both_of_two_rows_differ_from_it() -> None:
    accepted = baseline.load(BASELINE, catalog.sources()[GOOGLE])[0]
    twins = [accepted.filter(**IOWA_2025).with_columns(pl.lit(value).alias(G)) for value in (100.0, 410.0)]
    others = accepted.join(twins[0], on=["region", "year"], how="anti")
    found = rows.judged(catalog.sources()[GOOGLE], pl.concat([*twins, others]), accepted, RETRIEVED)
    assert found.rows.sort("region", "year").equals(accepted.sort("region", "year"))
    assert found.quarantined.height == 2


def test_of_two_new_rows_of_one_key_neither_is_taken_unless_they_are_equal() -> None:
    accepted = baseline.load(BASELINE, catalog.sources()[GOOGLE])[0]
    new = accepted.filter(**IOWA_2025).with_columns(year=pl.lit(2026, pl.Int64))
    for other, taken, says in ((100.0, 0, "none of them is taken"), (None, 1, "the same values")):
        twin = new if other is None else new.with_columns(pl.lit(other).alias(G))
        frame = pl.concat([accepted, new, twin])
        found = rows.judged(catalog.sources()[GOOGLE], frame, accepted, date(2027, 6, 1))
        assert found.rows.filter(year=2026).height == taken
        assert set(found.quarantined["row_key"]) == {"us-central1 / 2026"}
        assert all(says in text for text in found.quarantined["message"])


@pytest.mark.parametrize(
    ("source", "fault", "says"),
    [
        (OWID, FAULTS["one zero"][1], "Below 4 gram / kilowatt hour. "),
        (CHIPS, times("tdp_w", 1000, where=pl.col("name") == "NVIDIA A40 PCIe"), "Above 30000 watt. "),
        (EPOCH, cells(DAY, to("31/12/2022"), where=ALPHACODE), "Expected a day as YYYY-MM-DD. "),
        (
            EPOCH,
            FAULTS["FLOP beyond any"][1],
            "More than 10 times the largest known by its day, 5e+26 FLOP: ",
        ),
        (EPOCH, FAULTS["a letter of another script"][1], "It holds U+0422 "),
        (EPOCH, FAULTS["a name told apart by a blank"][1], "It looks like 'AlphaCode'. "),
    ],
)
def test_a_quarantined_row_says_the_limit_with_its_unit_and_what_to_do(
    source: str, fault: Fault, says: str
) -> None:
    of = catalog.sources()[source]
    text = pl.read_csv(baseline.path_of(BASELINE, of), infer_schema=False)
    (row,) = rows.judged(of, fault(text), baseline.load(BASELINE, of)[0], RETRIEVED).quarantined.to_dicts()
    told = row["message"]
    assert told.startswith(says)
    assert f"Tell {of.producer}, or add the right value with its source to warehouse/reference/" in told


CLEAN = {
    GOOGLE: ("europe-west9", "europe-west6", "southamerica-east1", "northamerica-northeast2", "us-west1"),
    OWID: ("Norway", "Sweden", "France", "Switzerland", "Iceland", "Paraguay"),
}


@pytest.mark.parametrize("factor", [1 / 4, 1 / 2.1, 2.1, 4])
@pytest.mark.parametrize(("source", "place"), [(s, place) for s, places in CLEAN.items() for place in places])
def test_one_clean_grid_wrong_by_a_factor_in_a_new_year_needs_a_person(
    source: str, place: str, factor: float
) -> None:
    """Their differences in g/kWh are small: what tells is the mix of the row."""
    accepted = baseline.load(BASELINE, catalog.sources()[source])[0]
    name, last = ("region", 2025) if source == GOOGLE else ("entity", 2024)
    share = "cfe_fraction" if source == GOOGLE else "renewables_fraction"
    wrong = pl.when(pl.col(name) == place).then(pl.col(G) * factor).otherwise(pl.col(G) * 0.98)
    new = accepted.filter(pl.col("year") == last, pl.col(G).is_not_null()).with_columns(
        pl.lit(2026, pl.Int64).alias("year"), wrong.alias(G), (pl.col(share) - 0.001).clip(0).alias(share)
    )
    frame = pl.concat([accepted, new])
    found = rows.judged(catalog.sources()[source], frame, accepted, date(2027, 6, 1))
    stopped = any(f"{place}, 2026: " in text for text in found.exceeded)
    lost = any(row.startswith(f"{place} / 2026") for row in found.quarantined["row_key"])  # below the bound
    assert stopped or lost, found.exceeded


def _history(source: str) -> list[tuple[int, list[str]]]:
    """What is said of each year of a source beside the years before."""
    of = catalog.sources()[source]
    accepted = baseline.load(BASELINE, of)[0]
    earlier = [
        (year, accepted.filter(pl.col("year") < year)) for year in sorted(accepted["year"].unique())[1:]
    ]
    return [
        (year, mixes.unlike_mix(of, before, accepted.filter(pl.col("year") <= year))[0])
        for year, before in earlier
    ]


@pytest.mark.parametrize(("source", "since"), [(GOOGLE, 2019), (OWID, 2001), (EGRID, 2018)])
def test_no_real_year_is_unlike_its_mix(source: str, since: int) -> None:
    assert [text for year, texts in _history(source) if year >= since for text in texts] == []


@pytest.mark.parametrize(
    ("source", "place", "of"),
    [(OWID, "Norway", None), (OWID, "Poland", None), (EGRID, "NYUP", None), (OWID, "Chile", 2025),
     (GOOGLE, "us-west1", 2025), (EGRID, "CAMX", 2023)],
)  # fmt: skip
def test_small_steps_stop_before_they_add_up_to_twice(source: str, place: str, of: int | None) -> None:
    """Each step is accepted before the next; all years of a place, or one."""
    named = catalog.sources()[source]
    first = accepted = baseline.load(BASELINE, named)[0]
    column = named.limits.mix.column if named.limits.mix else G
    name = catalog.tables()[named.table].key[0]
    hit = (pl.col(name) == place) & (pl.lit(of is None) | (pl.col("year") == (of or 0)))
    for step in range(1, 6):
        moved = first.with_columns(
            pl.when(hit).then(pl.col(column) * 1.15**step).otherwise(column).alias(column)
        )
        found = rows.judged(named, moved, accepted, RETRIEVED)
        if found.exceeded:
            break
        accepted = found.rows
    assert found.exceeded
    assert 1.15**step < 2.02  # it is the fifth step that would make it twice as much


@pytest.mark.parametrize(("intensity", "gas"), [("25", "0.1"), ("1100", "0.1"), ("480", None)])
def test_a_new_country_is_held_against_its_mix(intensity: str, gas: str | None) -> None:
    mix = dict.fromkeys(("coal_twh", "oil_twh", "hydro_twh", "nuclear_twh", "solar_twh", "wind_twh"), "0")
    given = mix | {"gas_twh": gas, "generation_twh": gas, "renewables_fraction": "0"} if gas else {}
    fault = new_row(entity="Andorra", iso3="AND", year="2025", **{G: intensity}, **given)
    accepted = baseline.load(BASELINE, catalog.sources()[OWID])[0]
    text = pl.read_csv(baseline.path_of(BASELINE, catalog.sources()[OWID]), infer_schema=False)
    found = rows.judged(catalog.sources()[OWID], fault(text), accepted, RETRIEVED)
    (said,) = found.exceeded
    assert "Andorra, 2025: " in said
    gas_alone = mix | {"gas_twh": "0.1", "generation_twh": "0.1", G: "480"}
    right = new_row(entity="Andorra", year="2025", **gas_alone)(text)
    assert rows.judged(catalog.sources()[OWID], right, accepted, RETRIEVED).exceeded == []


def test_a_leap_that_the_mix_explains_is_named_for_the_reviewer() -> None:
    accepted = baseline.load(BASELINE, catalog.sources()[GOOGLE])[0]
    before = accepted.filter(pl.col("year") < 2025)
    found = rows.judged(catalog.sources()[GOOGLE], accepted, before, RETRIEVED)
    assert found.exceeded == []
    (said,) = found.notices
    assert "europe-north2, 2025: 19.39 (2.73 before; " in said


def _beside_countries() -> pl.DataFrame:
    """Google's regions, each with the intensity of its country in the nearest year up to its own."""
    reference = BASELINE.parent / "reference"
    regions = pl.read_csv(reference / "regions.csv", infer_schema=False).filter(provider="Google")
    names = pl.read_csv(reference / "countries.csv", infer_schema=False).select(
        entity="alias", country="country"
    )
    google, owid = (baseline.load(BASELINE, catalog.sources()[name])[0] for name in (GOOGLE, OWID))
    countries = owid.drop_nulls(G).join(names, on="entity").select("country", "year", country_g_per_kwh=G)
    return (
        google.drop_nulls(G).join(regions.select("region", "country"), on="region")
        .with_columns(scheme=pl.lit("google_cloud")).sort("year")
        .join_asof(countries.sort("year"), on="year", by="country", check_sortedness=False)
        .drop_nulls("country_g_per_kwh")
    )  # fmt: skip


def test_few_real_years_of_regions_leave_their_country_behind_and_all_that_are_far_off_do() -> None:
    """The real ones are of Switzerland, Quebec, Chile and Stockholm. Montreal doubled in 2025."""
    every = _beside_countries()
    year = pl.col("year")
    told = [results.apart(every.filter(year < y), every.filter(year <= y)).height for y in range(2020, 2026)]
    assert sum(told) <= 6
    before, last = every.filter(year < 2025), every.filter(year == 2025)
    known = last.join(before, on=["region", "intensity_basis"], how="semi")
    assert known.height >= 40
    for factor in (1 / 4, 1 / 2.1, 2.1, 4):
        now = pl.concat([before, known.with_columns(pl.col(G) * factor)])
        silent = known.join(results.apart(before, now), on="region", how="anti")["region"]
        assert set(silent) <= {"northamerica-northeast1"}, factor


MPT, H100 = pl.col("model") == "MPT-30B", pl.col("name") == "NVIDIA H100 SXM5 80GB"
SINGLE: dict[str, tuple[str, Fault]] = {
    "FLOP a thousand times": (EPOCH, times(FLOP, 1e3, where=pl.col("model") == "OPT-6.7B")),
    "FLOP a tenth": (EPOCH, times(FLOP, 0.1, where=pl.col("model") == "Qwen2-72B")),
    "days for hours": (EPOCH, times("training_hours", 1 / 24, where=MPT)),
    "nodes for chips": (EPOCH, times("chips", 1 / 8, where=pl.col("model") == "OPT-175B")),
    "rated power twice": (CHIPS, times("tdp_w", 2.1, where=H100)),
    "sparse for dense": (CHIPS, times("peak_tensor_fp16_flop_per_s", 2, where=H100)),
    "MB for GB": (CHIPS, times("memory_bytes", 1e-3, where=H100)),
}


@pytest.mark.parametrize("name", SINGLE)
def test_a_single_cell_that_moves_far_waits_for_a_person(name: str) -> None:
    source_name, fault = SINGLE[name]
    source = catalog.sources()[source_name]
    accepted = baseline.load(BASELINE, source)[0]
    text = fault(pl.read_csv(baseline.path_of(BASELINE, source), infer_schema=False))
    found = rows.judged(source, text, accepted, RETRIEVED)
    key = list(catalog.tables()[source.table].key)
    assert found.exceeded == []
    assert found.rows.sort(key).equals(accepted.sort(key))
    (row,) = found.quarantined.to_dicts()
    assert (
        f"The accepted row stays; to take the new one: ote update --refetch {source_name} --accept"
        in row["message"]
    )
    taken = rows.judged(source, text, accepted, RETRIEVED, is_accepted=True)
    assert (taken.quarantined.height, len(taken.change["cells_changed"])) == (0, 1)
