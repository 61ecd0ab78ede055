"""Our World in Data's charts: ten files side by side, no row lost, no chart left out in silence."""

import polars as pl
import pytest

from ote.ingestion.tabular import UpstreamChangedError
from ote.sources.owid_electricity import CHARTS, parse
from tests.conftest import UPSTREAM, needs_upstream

FOLDER = UPSTREAM / "owid_electricity"
COLUMNS = ["entity", "iso3", "year", *(column for column, _ in CHARTS.values())]
NUMBERS = COLUMNS[3:]


def charts(**rows: str) -> dict[str, bytes]:
    """Every chart with its header of today, and rows for some of our columns."""
    return {
        f"owid_electricity/{chart}.csv": f"Entity,Code,Year,{spellings[0]}\n{rows.get(column, '')}".encode()
        for chart, (column, spellings) in CHARTS.items()
    }


def test_charts_stand_side_by_side_and_no_row_is_lost() -> None:
    frame = parse(
        charts(
            carbon_intensity_g_per_kwh="Norway,NOR,2024,28.5\nASEAN (Ember),,2000,572.58\n",
            generation_twh="Norway,NOR,2024,157.1\nASEAN (Ember),,2000,378.76\n",
            wind_twh="Norway,NOR,1965,0\n",
            renewables_fraction="ASEAN (Ember),,2000,19.334143\nNorway,NOR,2024,98.38\n",
        )
    )
    assert frame.columns == COLUMNS
    picked = frame.select(
        "entity", "iso3", "year", "carbon_intensity_g_per_kwh", "generation_twh", "wind_twh"
    )
    assert picked.rows() == [
        ("ASEAN (Ember)", None, "2000", "572.58", "378.76", None),
        ("Norway", "NOR", "1965", None, None, "0"),
        ("Norway", "NOR", "2024", "28.5", "157.1", None),
    ]
    assert frame["renewables_fraction"].to_list() == ["0.19334143", None, "0.9838"]


@pytest.mark.parametrize(
    ("chart", "spelling"), [(chart, name) for chart, (_, names) in CHARTS.items() for name in names]
)
def test_every_known_header_is_read(chart: str, spelling: str) -> None:
    column, _ = CHARTS[chart]
    cell = "0.1" if column == "renewables_fraction" else "10"
    for keys in ("Entity,Code,Year", "entity,code,year"):
        files = charts() | {
            f"owid_electricity/{chart}.csv": f"{keys},{spelling}\nPeru,PER,2020,10\n".encode()
        }
        assert float(parse(files)[column][0]) == float(cell)


def test_order_of_columns_and_new_columns_do_not_matter() -> None:
    expected = parse(charts(coal_twh="Peru,PER,2020,10\n"))
    coal = b"Coal,World region,Year,Code,Entity\n10,South America,2020,PER,Peru\n"
    assert parse(charts() | {"owid_electricity/electricity-coal.csv": coal}).equals(expected)


@pytest.mark.parametrize("chart", CHARTS)
def test_a_renamed_column_is_named_with_its_file(chart: str) -> None:
    file = f"owid_electricity/{chart}.csv"
    files = charts() | {file: b"Entity,Code,Year,Something else\n"}
    with pytest.raises(UpstreamChangedError) as error:
        parse(files)
    assert file in str(error.value)
    assert CHARTS[chart][1][0] in str(error.value)


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_that_is_not_there_is_no_column_of_nulls(chart: str) -> None:
    files = charts()
    del files[f"owid_electricity/{chart}.csv"]
    with pytest.raises(UpstreamChangedError, match=rf"{chart}.csv: not there"):
        parse(files)


@needs_upstream
def test_the_files_of_april_2026() -> None:
    frame = parse({f"owid_electricity/{p.name}": p.read_bytes() for p in FOLDER.glob("*.csv")})
    assert frame.columns == COLUMNS
    assert set(frame.dtypes) == {pl.String}
    assert frame.height == 10361
    assert not frame.select("entity", "year").is_duplicated().any()
    cells = {name: frame.height - frame[name].null_count() for name in NUMBERS}
    assert cells == {
        "carbon_intensity_g_per_kwh": 6332,
        "generation_twh": 7913,
        "coal_twh": 7168,
        "gas_twh": 7025,
        "oil_twh": 7147,
        "hydro_twh": 9603,
        "nuclear_twh": 10192,
        "solar_twh": 9715,
        "wind_twh": 9507,
        "renewables_fraction": 7872,
    }
    for name in NUMBERS:
        assert frame[name].drop_nulls().cast(pl.Float64).is_finite().all()
    asean = frame.filter(entity="ASEAN (Ember)", year="2000").row(0, named=True)
    assert (asean["iso3"], asean["carbon_intensity_g_per_kwh"], asean["hydro_twh"]) == (
        None,
        "572.58",
        "50.43",
    )
    assert asean["renewables_fraction"] == "0.19334143"
    gas = frame.filter(entity="Turkmenistan", year="2010")["carbon_intensity_g_per_kwh"].to_list()
    assert gas == ["1306.72"]
