"""What differs between two releases, cell by cell, and why: on few rows, and on built ones."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ote.releases import changes
from tests.conftest import Build, Edited, ote

RUN = {"run_id": "t5", "energy_mwh": 80.0, "energy_mwh_p95": 90.0, "co2e_gross_t": 40.0, "co2e_net_t": 40.0}
FACTOR = {
    "run_id": "t5",
    "factor": "watts_per_chip",
    "value": 300.0,
    "gsd": 1.1,
    "basis": "measured_same_chip",
    "source_id": "paper",
}
SOURCES = {"reference-system-power": "a", "upstream-models": "b"}
Tables = dict[str, tuple[str, list[dict[str, Any]]]]
SAME: Tables = {"emissions": ("run_id", [RUN]), "emission_factors": ("run_id, factor", [FACTOR])}


def write(folder: Path, tables: Tables, version: str = "1.2.3+aa", method: str = "m", **sources: str) -> Path:
    (folder / "parquet").mkdir(parents=True)
    for name, (key, rows) in tables.items():
        table = pa.Table.from_pylist(rows).replace_schema_metadata({"key": key})
        pq.write_table(table, folder / "parquet" / f"{name}.parquet")
    known = SOURCES | {name.replace("_", "-"): sha256 for name, sha256 in sources.items()}
    manifest = {
        "version": version,
        "reading_sha256": "r",
        "lineage": {name: {"method_sha256": method, "inputs": sorted(known)} for name in tables},
        "sources": [{"source_id": name, "sha256": sha256} for name, sha256 in known.items()],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def compared(tmp_path: Path, new: Tables, method: str = "m", **sources: str) -> changes.Difference:
    return changes.compare(
        write(tmp_path / "old", SAME), write(tmp_path / "new", new, "x", method, **sources)
    )


def with_factor(**changed: Any) -> Tables:
    return {
        "emissions": ("run_id", [RUN | {"energy_mwh": 88.0, "energy_mwh_p95": 99.0}]),
        "emission_factors": ("run_id, factor", [FACTOR | changed]),
    }


def test_equal_releases_ask_for_no_step(tmp_path: Path) -> None:
    difference = compared(tmp_path, SAME)
    assert difference.cells.height == 0
    assert "Nothing changed" in changes.page(difference, "")


def test_a_changed_cell_has_its_values_and_their_ratio(tmp_path: Path) -> None:
    difference = compared(tmp_path, with_factor(value=330.0), upstream_models="c")
    cells = difference.cells.filter(
        pl.col("table_name") == "emissions", pl.col("column_name") == "energy_mwh"
    )
    row = cells.row(0, named=True)
    assert (row["row_key"], row["change"]) == ("t5", "changed")
    assert (float(row["old_value"]), float(row["new_value"])) == (80, 88)
    assert row["ratio"] == pytest.approx(1.1)


@pytest.mark.parametrize(
    ("factor", "inputs", "cause", "words"),
    [
        ({"value": 330.0}, {"upstream_models": "c"}, "source_revised", "upstream-models"),
        ({"value": 330.0}, {"reference_system_power": "c"}, "facts_changed", "reference-system-power"),
        ({"value": 330.0}, {"method": "n"}, "method_changed", "was 300, is 330"),
        ({"gsd": 1.2}, {"method": "n"}, "method_changed", "the gsd of watts_per_chip was 1.100, is 1.200"),
        (
            {"value": 330.0, "basis": "disclosed_measured"},
            {"reference_system_power": "c"},
            "new_evidence",
            "is based on disclosed_measured, before on measured_same_chip",
        ),
        ({"value": 330.0, "source_id": "other"}, {"reference_system_power": "c"}, "new_evidence", "other"),
    ],
)
def test_an_estimate_that_changed_is_explained_by_its_factor(
    tmp_path: Path, factor: dict[str, Any], inputs: dict[str, Any], cause: str, words: str
) -> None:
    cells = compared(tmp_path, with_factor(**factor), **inputs).cells
    energy = cells.filter(pl.col("table_name") == "emissions", pl.col("column_name") == "energy_mwh")
    assert energy["cause"].to_list() == [cause]
    assert words in energy["explanation"][0]


def test_a_run_that_is_gone_says_which_run_it_was_merged_into(tmp_path: Path) -> None:
    def tables(*run_ids: str) -> Tables:
        rows = [{"run_id": run_id, "source_id": "paper"} for run_id in run_ids]
        return {"emissions": ("run_id", rows), "training_runs": ("run_id", rows)}

    relation = {"run_id": "old", "other_run_id": "t5", "relation": "merged"}
    relations = {"run_relations": ("run_id", [relation])}
    old = write(tmp_path / "old", tables("t5", "old", "lost"))
    new = write(tmp_path / "new", tables("t5") | relations, "x", reference_run_relations="c")
    cells = changes.compare(old, new).cells.filter(pl.col("table_name") == "emissions")
    assert dict(cells.select("row_key", "change").iter_rows()) == {"old": "gone", "lost": "gone"}
    explained = dict(cells.select("row_key", "explanation").iter_rows())
    assert explained["old"] == "merged into t5"
    assert "merged" not in explained["lost"]


def amended(folder: Path, **facts: Any) -> Path:
    """The same release, with other facts in its manifest."""
    manifest = json.loads((folder / "manifest.json").read_text()) | facts
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


OWN = {"run_id": "t5", "chip_hours": 40.0, "source_id": "paper"}
HOURS = {
    "run_id": "t5",
    "factor": "chip_hours",
    "value": 40.0,
    "gsd": 1.1,
    "basis": "x",
    "source_id": "paper",
}
GROSS = HOURS | {"factor": "gross_kg_per_kwh", "value": 0.4}


def estimated(hours: float, gross: float, gsd: float = 1.1, source: str = "paper") -> Tables:
    """One run, all that is computed from its hours and its grid, and what follows."""
    run = {"run_id": "t5", "energy_mwh": 2 * hours, "co2e_gross_t": 2 * hours * gross}
    return {
        "emissions": ("run_id", [run]),
        "emission_factors": (
            "run_id, factor",
            [HOURS | {"value": hours, "gsd": gsd}, GROSS | {"value": gross}],
        ),
        "training_runs": ("run_id", [OWN | {"chip_hours": hours, "source_id": source}]),
        "water_use": ("run_id", [{"run_id": "t5", "energy_mwh": 2 * hours}]),
        "what_if": ("run_id, region", [{"run_id": "t5", "region": "r", "energy_mwh": 2 * hours}]),
    }


@pytest.mark.parametrize(
    ("source", "cause", "words"),
    [
        ("paper", "fact_corrected", "chip_hours was 40, is 80: reference-training-runs changed"),
        ("upstream-models", "source_revised", "chip_hours was 40, is 80: upstream-models changed"),
    ],
)
def test_a_corrected_fact_of_a_run_is_its_cause_though_sources_were_revised_as_well(
    tmp_path: Path, source: str, cause: str, words: str
) -> None:
    old = write(tmp_path / "old", estimated(40, 0.4, source=source), reference_training_runs="a")
    revised = {"reference_training_runs": "b", "upstream_models": "c"}
    new = write(tmp_path / "new", estimated(80, 0.4, source=source), **revised)
    cells = changes.compare(old, new).cells
    assert set(cells["table_name"]) == set(estimated(1, 1))
    assert set(cells["cause"]) == {cause}
    assert set(cells.filter(pl.col("table_name") != "what_if")["explanation"]) == {words}


@pytest.mark.parametrize(
    ("facts", "cause"), [({}, "facts_changed"), ({"published_date": "2021-01-01"}, "fact_corrected")]
)
def test_a_year_that_moves_with_the_usual_delay_is_no_corrected_fact(
    tmp_path: Path, facts: dict[str, str], cause: str
) -> None:
    """The year of a run without a stated start is its publication minus a median over other runs."""

    def tables(year: int, gross: float, **own: str) -> Tables:
        run = OWN | {"run_year": year, "published_date": "2020-01-01"} | own
        return {
            "emissions": ("run_id", [{"run_id": "t5", "co2e_gross_t": 80 * gross}]),
            "emission_factors": ("run_id, factor", [GROSS | {"value": gross}]),
            "training_runs": ("run_id", [run]),
        }

    old = write(tmp_path / "old", tables(2019, 0.5), reference_training_runs="a")
    new = write(tmp_path / "new", tables(2020, 0.4, **facts), reference_training_runs="b")
    cells = changes.compare(old, new).cells
    assert set(cells["cause"]) == {cause}


def test_a_run_that_a_corrected_fact_makes_computable_is_explained_by_it(tmp_path: Path) -> None:
    """Though sources were revised as well: no row of emissions, and then one."""
    new = estimated(80, 0.4)
    old = estimated(40, 0.4) | {"emissions": ("run_id", [RUN | {"run_id": "other"}])}
    new["emissions"][1].append(old["emissions"][1][0])
    before = write(tmp_path / "old", old, reference_training_runs="a")
    after = write(tmp_path / "new", new, reference_training_runs="b", upstream_models="c")
    cells = changes.compare(before, after).cells
    rows = cells.filter(pl.col("table_name") == "emissions", pl.col("change") == "added")
    assert rows.select("row_key", "cause", "explanation").rows() == [
        ("t5", "fact_corrected", "reference-training-runs changed")
    ]


def test_the_factor_that_moved_most_comes_first(tmp_path: Path) -> None:
    old = write(tmp_path / "old", estimated(40, 0.4))
    new = write(tmp_path / "new", estimated(40, 0.5, gsd=1.2), upstream_models="c")
    cells = changes.compare(old, new).cells
    (says,) = cells.filter(pl.col("column_name") == "co2e_gross_t")["explanation"]
    assert says.startswith("gross_kg_per_kwh was 0.4, is 0.5: ")
    assert "; the gsd of chip_hours was 1.100, is 1.200: " in says


@pytest.mark.parametrize("changed", [{"basis": "stated_tdp"}, {"source_id": "other"}])
def test_another_basis_is_no_new_evidence_where_nothing_that_went_in_differs(
    tmp_path: Path, changed: dict[str, str]
) -> None:
    cells = compared(tmp_path, with_factor(value=330.0, **changed), method="n").cells
    assert set(cells["cause"]) == {"method_changed"}


@pytest.mark.parametrize(
    ("part", "values", "words"),
    [
        ("catalog_sha256", ("a", "b"), "the catalog"),
        ("libraries", ({"duckdb": "1"}, {"duckdb": "2"}), "the version of a library changed"),
    ],
)
def test_the_catalog_and_the_libraries_explain_what_no_input_does(
    tmp_path: Path, part: str, values: tuple[object, object], words: str
) -> None:
    old = amended(write(tmp_path / "old", SAME), **{part: values[0]})
    new = amended(write(tmp_path / "new", with_factor(value=330.0)), **{part: values[1]})
    difference = changes.compare(old, new)
    assert set(difference.cells["cause"]) == {"method_changed"}
    assert all(words in says for says in difference.cells["explanation"])


def test_what_was_had_again_is_no_revised_source_and_what_has_other_bytes_is(tmp_path: Path) -> None:
    def went_in(sha256: str, day: str) -> Tables:
        file = {"source": "models", "file": "a.csv", "sha256": sha256, "retrieved_at": day}
        source = {"source_id": "upstream-models", "sha256": sha256, "retrieved_at": day}
        return {"sources": ("source_id", [source]), "source_files": ("source, file", [file])}

    old = write(tmp_path / "old", went_in("b", "2026-01-01"))
    again = changes.compare(old, write(tmp_path / "again", went_in("b", "2026-02-01")))
    assert set(again.cells["cause"]) == {"retrieved_again"}
    revised = write(tmp_path / "revised", went_in("c", "2026-02-01"), upstream_models="c")
    assert set(changes.compare(old, revised).cells["cause"]) == {"source_revised"}


def test_a_release_that_does_not_tell_its_lineage_can_be_compared(tmp_path: Path) -> None:
    old, new = write(tmp_path / "old", SAME), write(tmp_path / "new", with_factor(value=330.0))
    manifest = json.loads((old / "manifest.json").read_text())
    del manifest["lineage"], manifest["reading_sha256"]
    (old / "manifest.json").write_text(json.dumps(manifest))
    assert set(changes.compare(old, new).cells["cause"]) == {"method_changed"}


def test_what_no_input_explains_says_so(tmp_path: Path) -> None:
    cells = compared(tmp_path, with_factor(value=330.0)).cells
    assert set(cells["cause"]) == {"unexplained"}


def test_the_command_says_what_moved_and_why(build: Build, edited: Edited, tmp_path: Path) -> None:
    folders = (build.release, edited.draft)
    done = ote("diff", *folders, "--cells", tmp_path / "cells.csv")
    assert done.returncode == 0, done.stderr
    assert "colpali | energy_mwh" in done.stdout
    assert done.stdout.strip().endswith(f"Every cell is in {tmp_path / 'cells.csv'}.")
    assert "unexplained" not in done.stdout
    done = ote("diff", *folders)
    assert done.stdout.strip().endswith("For every cell give --cells FILE, .csv or .parquet.")
    every = pl.read_csv(tmp_path / "cells.csv", infer_schema=False)
    assert "unexplained" not in every["cause"]
    energy = every.filter(
        pl.col("table_name") == "emissions",
        pl.col("row_key") == "colpali",
        pl.col("column_name") == "energy_mwh",
    ).row(0, named=True)
    assert float(energy["ratio"]) == pytest.approx(2)
    assert energy["cause"] == "fact_corrected"
    assert "reference-training-runs" in energy["explanation"]
    counted = changes.compare(*folders).cells.filter(pl.col("table_name") == "what_if")
    listed = every.filter(pl.col("table_name") == "what_if")
    assert counted.height == 1
    assert counted["explanation"][0].startswith(f"{listed.height:,} cells")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["0.0.1+none"], "no such folder, and no version"), (["x", "--cells", "cells.txt"], ".csv or .parquet")],
)
def test_a_release_that_is_none_is_refused(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = ote("diff", *arguments, "--releases", tmp_path)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_table_that_another_program_rewrote_is_refused_with_what_to_do(tmp_path: Path) -> None:
    old, new = write(tmp_path / "old", SAME), write(tmp_path / "new", SAME)
    pl.DataFrame([RUN]).write_parquet(new / "parquet" / "emissions.parquet")
    done = ote("diff", old, new)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{new / 'parquet' / 'emissions.parquet'}: its metadata name no key")
    assert done.stderr.strip().endswith("download or build the release again.")


def test_cells_that_cannot_be_written_are_said(build: Build, tmp_path: Path) -> None:
    for name in ("cells.csv", "cells.parquet"):
        file = tmp_path / "nowhere" / name
        done = ote("diff", build.release, build.release, "--cells", file)
        assert done.returncode == 1
        assert done.stderr.startswith(f"--cells {file}: No such file or directory")
        assert len(done.stderr.splitlines()) == 1
