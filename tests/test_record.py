"""The record of a release: what is remembered, which version follows, and which names may go."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ote import catalog
from ote.releases import record
from ote.releases.record import Column, Record, Table
from tests.conftest import Build

RUN = {"energy_mwh": 80.0, "energy_mwh_p95": 90.0, "co2e_gross_t": 40.0, "co2e_net_t": 40.0}


def columns(since: str = "", **sums: str) -> dict[str, Column]:
    """Columns with a checksum of their values; `since` says of `draw_w` that it is deprecated."""
    return {
        name: Column(type="double", sha256=sha256, deprecated_since=since if name == "draw_w" else "")
        for name, sha256 in sums.items()
    }


def table(columns: dict[str, Column], rows: int = 3, sha256: str = "t", key: str = "run_id") -> Table:
    return Table(key=[key], rows=rows, sha256=sha256, columns=columns)


def released(version: str = "1.2.3+aa", content: str = "aa", method: str = "m", **tables: Table) -> Record:
    estimates = {"t5": dict(RUN), "meena": dict(RUN)}
    return Record(
        version=version, content=content, commit="c", method_sha256=method, tables=tables, estimates=estimates
    )


OLD = released(emissions=table(columns(a="1", b="2")))


def moved(found: Record, factor: float) -> Record:
    """The same, with energies that moved."""
    estimates = {
        run: known | {"energy_mwh": factor * known["energy_mwh"]} for run, known in found.estimates.items()
    }
    return replace(found, estimates=estimates)


def with_table(**changed: Any) -> Record:
    return replace(OLD, tables={"emissions": replace(OLD.tables["emissions"], **changed)})


STEPS: dict[str, tuple[Record, str, str]] = {
    "nothing": (OLD, "none", ""),
    "a value": (with_table(sha256="u"), "patch", "values of emissions changed"),
    "a row": (with_table(rows=4), "minor", "emissions has 4 rows instead of 3"),
    "a column": (with_table(columns=columns(a="1", b="2", c="3")), "minor", "emissions.c is new"),
    "a column less": (with_table(columns=columns(a="1")), "major", "emissions.b is gone"),
    "another type": (
        with_table(columns=columns(a="1") | {"b": Column(type="bigint", sha256="2", deprecated_since="")}),
        "major", "emissions.b has another type",
    ),
    "another key": (with_table(key=["a"]), "major", "the key of emissions changed"),
    "a table": (replace(OLD, tables=OLD.tables | {"places": table({})}), "minor", "table places is new"),
    "a table less": (replace(OLD, tables={}), "major", "table emissions is gone"),
    "a run": (
        replace(OLD, estimates=OLD.estimates | {"gpt-3": RUN}), "minor", "1 estimates are new, 0 are gone"
    ),
    "a run less": (replace(OLD, estimates={"t5": RUN}), "minor", "0 estimates are new, 1 are gone"),
    "a method that moves medians": (
        moved(replace(OLD, method_sha256="n"), 1.02), "major", "and with it the median of energy_mwh"
    ),
    "a method that does not": (moved(replace(OLD, method_sha256="n"), 1.005), "none", ""),
    "medians by new facts": (moved(OLD, 2), "none", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_the_step_follows_from_what_differs(name: str) -> None:
    new, step, says = STEPS[name]
    found, reasons = record.difference(OLD, new)
    assert found == step
    assert len(reasons) == (1 if says else 0)
    assert all(says in reason for reason in reasons)


def test_the_largest_step_decides_and_only_its_reasons_are_given() -> None:
    new = with_table(rows=4, columns=columns(a="1"))
    assert record.difference(OLD, new) == ("major", ["emissions.b is gone"])


@pytest.mark.parametrize(
    ("step", "version"), [("major", "2.0.0"), ("minor", "1.3.0"), ("patch", "1.2.4"), ("none", "1.2.3")]
)
def test_the_next_version_is_that_of_semver(step: str, version: str) -> None:
    assert record.next_version("1.2.3+aabbccdd", step) == version


def test_a_first_release_has_the_version_of_the_catalog_and_equal_content_that_of_before() -> None:
    new = replace(with_table(rows=4), content="bb")
    catalogued = catalog.dataset().version
    assert record.version(None, new) == (catalogued, "")
    assert record.version(OLD, OLD) == (OLD.version, "")
    assert record.version(replace(OLD, version="0.9.0"), new) == (catalogued, "")
    assert "The first release" in record.page(None, new)


def test_a_release_that_is_built_again_has_its_own_changes(tmp_path: Path) -> None:
    """The tag has the record of the release itself, which differs from it in nothing."""
    (tmp_path / "CHANGES.md").write_text("# Changes from 1.2.2 to 1.2.3\n", encoding="utf-8")
    assert record.changes(OLD, OLD, tmp_path) == "# Changes from 1.2.2 to 1.2.3\n"
    new = replace(with_table(rows=4), content="bb", version="1.3.0")
    assert record.changes(OLD, new, tmp_path) == record.page(OLD, new)
    (tmp_path / "CHANGES.md").unlink()
    with pytest.raises(record.BadRecordError, match=r"CHANGES\.md: cannot be read .* Restore it with git"):
        record.changes(OLD, OLD, tmp_path)


def test_what_differs_needs_a_higher_version_or_is_a_draft() -> None:
    """OLD is 1.2.3, and the catalog has 1.0.0; three rows more are a minor step."""
    version, why = record.version(OLD, replace(with_table(rows=4), content="bb" * 32))
    assert version == f"{catalog.dataset().version}-draft.bbbbbbbb"
    assert why.startswith("it differs from 1.2.3+aa by a minor step (emissions has 4 rows instead of 3)")
    assert why.endswith(f"is {catalog.dataset().version}: write 1.3.0 there")


def test_the_page_lists_runs_and_what_moved_the_most_first() -> None:
    new = replace(
        OLD, content="bb", version="1.3.0+bb", estimates={"t5": RUN | {"energy_mwh": 100.0}, "new": RUN}
    )
    old = replace(OLD, estimates=OLD.estimates | {"t5": RUN | {"co2e_net_t": 4.0}})
    page = record.page(old, new)
    assert "New estimates (1): new." in page
    assert "Estimates that are gone (1): meena." in page
    assert [line for line in page.splitlines() if line.startswith("| t5")] == [
        "| t5 | co2e_net_t | 4 | 40 | 10 |",
        "| t5 | energy_mwh | 80 | 100 | 1.25 |",
    ]


def test_the_record_of_a_release_comes_back_as_it_was(build: Build, tmp_path: Path) -> None:
    found = record.read(build.release)
    assert found is not None
    record.keep(build.release, tmp_path / "released")
    assert record.read(tmp_path / "released") == found
    assert found.version == build.release.name
    energies = dict(build.query("select run_id, energy_mwh from emissions"))
    assert {run: known["energy_mwh"] for run, known in found.estimates.items()} == energies
    assert record.read(tmp_path / "nothing") is None
    with pytest.raises(record.BadRecordError, match="missing"):
        record.keep(tmp_path / "nothing", tmp_path / "released")


DRAWS = "values"


def broken(old: Table, new: Table, version: str = "0.4.2+aa") -> list[str]:
    return record.broken_promises(released(version, emissions=old), released(emissions=new))


def test_a_renamed_column_must_keep_its_old_name() -> None:
    old = table(columns(draw_w=DRAWS))
    (says,) = broken(old, table(columns(watts_per_chip=DRAWS)))
    assert "emissions.draw_w is watts_per_chip now: keep the old name" in says
    assert broken(old, table(columns(since="0.5.0", draw_w=DRAWS, watts_per_chip=DRAWS))) == []


def test_a_column_that_is_gone_for_good_is_no_rename() -> None:
    old = table(columns(draw_w=DRAWS))
    assert broken(old, table({})) == []
    assert broken(old, table(columns(pue="others"))) == []
    assert broken(table(columns(draw_w="=null")), table(columns(pue="=null"))) == [], "any has these"


@pytest.mark.parametrize(
    ("version", "stays"),
    [("0.5.0+aa", True), ("0.5.7+aa", True), ("0.6.0+aa", False), ("0.10.0+aa", False), ("1.0.0+aa", False)],
)
def test_an_old_name_stays_in_two_minor_versions(version: str, stays: bool) -> None:
    old = table(columns(since="0.5.0", draw_w=DRAWS, watts_per_chip=DRAWS))
    said = broken(old, table(columns(watts_per_chip=DRAWS)), version)
    assert bool(said) == stays
    assert not said or "emissions.draw_w is deprecated since 0.5.0" in said[0]


@pytest.mark.parametrize("since", ["0.5.0", "0.4.0"])
def test_a_version_that_had_the_name_as_it_was_does_not_count(since: str) -> None:
    new = table(columns(since=since, draw_w=DRAWS, watts_per_chip=DRAWS))
    (says,) = broken(table(columns(draw_w=DRAWS)), new, "0.5.3+aa")
    assert f"emissions.draw_w cannot be deprecated since {since}, for 0.5.3+aa had it as it was" in says


def test_a_column_of_one_value_is_marked_so_that_it_is_no_rename(build: Build) -> None:
    """The docstring of Column promises the mark; in agreement, nothing is held out."""
    found = record.read(build.release)
    assert found is not None
    sums = found.tables["agreement"].columns
    assert sums["held_out"].sha256.startswith("=")
    assert not sums["quantity"].sha256.startswith("=")
