"""`ote add` and `ote explain`: a row for the facts, and what a name means."""

import csv
import shutil
from pathlib import Path

import polars as pl
import pytest

from ote.answers import contribution
from ote.answers.estimate import estimate
from ote.ingestion.training_run_rules import country_names, provider_names
from tests.conftest import REFERENCE, Build, ote

FACTS = {
    "model": "My-7B (été)",
    "developer": "Me",
    "published-date": "2024-05-01",
    "hardware": "H100",
    "chips": "512",
    "training-hours": "300",
    "site-country": "FR",
    "source-title": 'My "report", in two parts',
    "source-url": "https://example.org/report",
    "source-locator": "Table 2",
    "verified": "primary",
}


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    return Path(shutil.copytree(REFERENCE, tmp_path / "reference"))


def options(**change: str) -> list[str]:
    facts = FACTS | {name.replace("_", "-"): cell for name, cell in change.items()}
    return [word for name, cell in facts.items() if cell for word in (f"--{name}", cell)]


def test_a_row_is_checked_estimated_and_written_in_its_place(build: Build, reference: Path) -> None:
    file = reference / "training_runs.csv"
    before = file.read_text(encoding="utf-8").splitlines()
    database = build.directory / "emissions.duckdb"
    tried = ote("add", *options(), "--dry-run", "--reference", reference, "--database", database)
    assert (tried.returncode, file.read_text(encoding="utf-8").splitlines()) == (0, before)
    # 512 x 300 h at the H100's draw is some 150 MWh.
    assert "my-7b-ete: about 1" in tried.stdout
    done = ote("add", *options(), "--reference", reference, "--database", database)
    assert done.returncode == 0, done.stderr
    after = file.read_text(encoding="utf-8").splitlines()
    (added,) = set(after) - set(before)
    assert [line for line in after if line != added] == before
    with file.open(encoding="utf-8", newline="") as rows:
        runs = list(csv.DictReader(rows))
    assert [run["run_id"] for run in runs] == sorted(run["run_id"] for run in runs)
    (run,) = (run for run in runs if run["run_id"] == "my-7b-ete")
    assert (run["source_title"], run["covers"]) == (FACTS["source-title"], "one_run")
    again = ote("add", *options(), "--reference", reference, "--database", database)
    assert (again.returncode, "the same run_id" in again.stderr) == (2, True)


@pytest.mark.parametrize(
    ("hardware", "chips", "written"),
    [
        ("TPU v3-8", "", "4"),
        ("TPU v3 core", "1024", "512"),
        ("MI250X GCD", "8", "4"),
        ("MI250X", "8", "8"),
        ("v3-8", "1", "4"),
        ("v4-128", "", "64"),
        ("v4-128", "2", "128"),
        ("v5litepod-16", "2", "32"),
    ],
)
def test_parts_of_chips_are_written_as_chips(
    build: Build, reference: Path, hardware: str, chips: str, written: str
) -> None:
    """The facts count chips, by the table of units that imports and estimates use."""
    database = build.directory / "emissions.duckdb"
    change = options(hardware=hardware, chips=chips, site_country="", developer_country="")
    done = ote("add", *change, "--reference", reference, "--database", database)
    assert done.returncode == 0, done.stderr
    rows = pl.read_csv(reference / "training_runs.csv", infer_schema=False)
    (row,) = rows.filter(pl.col("run_id") == "my-7b-ete").to_dicts()
    assert row["chips"] == written
    assert (row["site_country"], row["developer_country"]) == (None, None)  # not given: not invented
    assert "country: taken as" not in done.stdout
    if hardware != "MI250X":
        assert hardware not in row["hardware"]
        assert "Counted: " in done.stdout


def test_names_are_written_as_the_facts_have_them(build: Build, reference: Path) -> None:
    change = {"site_country": "France", "provider": "AWS", "developer_country": "usa;United Kingdom"}
    done = ote(
        "add",
        *options(**change),
        "--reference",
        reference,
        "--database",
        build.directory / "emissions.duckdb",
    )
    assert done.returncode == 0, done.stderr
    assert "--site-country France: taken as FR" in done.stdout
    with (reference / "training_runs.csv").open(encoding="utf-8", newline="") as rows:
        (run,) = (run for run in csv.DictReader(rows) if run["run_id"] == "my-7b-ete")
    written = (run["site_country"], run["provider"], run["developer_country"])
    assert written == ("FR", "Amazon Web Services", "US;GB")


def test_names_mean_the_same_to_add_and_to_estimate(build: Build) -> None:
    """Every name of the facts, in another case and with a space about it."""
    database = build.directory / "emissions.duckdb"
    providers, countries = provider_names(REFERENCE), country_names(REFERENCE)
    for column, names in (("provider", providers), ("site_country", countries)):
        given = [spelling for spelling, _ in names.values()]
        runs = pl.DataFrame({column: [f" {name.upper()} " for name in given]}).with_columns(
            energy_kwh=1.0, carbon_intensity_g_per_kwh=100.0
        )
        estimates = estimate(runs, database)
        assert isinstance(estimates, pl.DataFrame)
        assert estimates[column].to_list() == [written for _, written in names.values()]
    known = {written for _, written in providers.values()}
    for (place,) in build.query(
        "select distinct location_id from support.location_factors "
        "where basis in ('provider_year', 'provider_regions')"
    ):
        assert place in known


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"site_country": "Germoney"}, "--site-country: 'Germoney' is not known. Nearest: Germany"),
        ({"provider": "Googol"}, "--provider: 'Googol' is not known. Nearest: Google"),
        ({"developer_country": "US;XX"}, "--developer-country: 'XX' is not known"),
        ({"hardware": "H1000"}, "--hardware: "),
        ({"cloud_region": "Dublin"}, "regions there: eu-west-1 (Amazon Web Services), northeurope (Micro"),
        (
            {"hardware": "v3-8", "chips": "4"},
            "--chips: '4' with v3-8, a name that has a number already: expected",
        ),
        ({"hardware": "v4-128", "chips": "64"}, "name the hardware TPU v4, and give its chips\n"),
        ({"hardware": "v4-128", "chips": "128.0"}, "expected 1 for one slice"),
        ({"hardware": "v4-128", "chips": "", "chip_hours": "900"}, "--chip-hours: '900' with v4-128, a name"),
        ({"training_flop": "1e99"}, "--training-flop: 1e99 lies outside"),
        ({"chips": "-1"}, "--chips: -1 lies outside"),
        ({"training_hours": "12,5"}, "Use a point for decimals"),
        ({"chip_hours": "300"}, "--chip-hours: "),
        ({"source_locator": ""}, "--source-locator: empty, but every row needs it"),
        ({"published_date": "1 May 2024"}, "is not a day as YYYY-MM-DD"),
        ({"pue": "110"}, "--pue: 110 lies outside 1 to 2.5"),
        ({"chps": "5"}, "--chps: no such option. Did you mean --chips?"),
        ({"flop": "3e23"}, "--flop: no such option. Did you mean --training-flop?"),
        ({"region": "us-central1"}, "--region: no such option. Did you mean --cloud-region?"),
        ({"xyzzy": "1"}, "--xyzzy: no such option. ote add --help lists the options.\n"),
    ],
)
def test_what_cannot_be_is_explained_and_not_written(
    reference: Path, change: dict[str, str], says: str
) -> None:
    before = (reference / "training_runs.csv").read_bytes()
    refused = ote("add", *options(**change), "--reference", reference)
    assert refused.returncode == 2
    assert says in refused.stderr
    assert "Traceback" not in refused.stderr
    assert (reference / "training_runs.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("watts_per_chip", "a column (double, watt)"),
        ("emissions", "a table."),
        ("measured_ratio", "basis 4 in the fallback order of watts_per_chip"),
        ("epoch_models", "a source."),
    ],
)
def test_a_name_is_explained(name: str, says: str) -> None:
    stated = ote("explain", name)
    assert (stated.returncode, says in " ".join(stated.stdout.split())) == (0, True), stated.stdout


def test_an_unknown_name_gets_the_nearest() -> None:
    stated = ote("explain", "watt_per_chip")
    assert (stated.returncode, "watts_per_chip" in stated.stderr) == (2, True)


def test_add_lists_an_option_for_each_column() -> None:
    listed = ote("add", "--help").stdout
    for column in contribution.columns():
        assert f"--{column.name.replace('_', '-')} " in listed
    refused = ote("add", *options(), "--chips", "8")
    assert (refused.returncode, refused.stderr) == (2, "--chips: given twice.\n")


def test_every_command_shows_an_example() -> None:
    listing = ote("--help").stdout
    commands = [
        line.split()[1] for line in listing.splitlines() if line.startswith("│ ") and line[2].isalpha()
    ]
    named = {
        "find",
        "why",
        "where",
        "explain",
        "estimate",
        "import",
        "report",
        "add",
        "build",
        "update",
        "site",
        "mcp",
        "total",
    }
    assert named | {"release"} == set(commands)
    of_releases = [("release", command) for command in ("make", "diff", "verify", "publish", "get")]
    for command in [*((command,) for command in named), *of_releases]:
        assert "Example: ote" in ote(*command, "--help").stdout, command


def test_the_shell_can_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    # The shell that is named, whatever process the tests were started from.
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    assert ote("--show-completion", "bash").returncode == 0


def test_all_problems_of_a_row_are_named_at_once(reference: Path) -> None:
    done = ote(
        "add",
        *options(pue="110", site_country="Atlantis", published_date="2199-01-01"),
        "--reference",
        reference,
    )
    assert done.returncode == 2
    for option in ("--pue: ", "--site-country: 'Atlantis' is not known", "--published-date: "):
        assert option in done.stderr
    assert done.stderr.endswith("Nothing was written.\n")
