"""A release does not take away a name that queries rely on, unless it was given up in good time."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.releases import deprecation
from tests.conftest import Build, ote, resum

KEYS = ["a", "b", "c"]
DRAWS = [300.0, 310.0, None]


def release(folder: Path, since: str = "", **columns: list[float | None]) -> Path:
    """A folder with one table; `since` says of the column `draw_w` that it is deprecated."""
    fields = [pa.field("run_id", pa.string())] + [
        pa.field(
            name,
            pa.float64(),
            metadata={"deprecated_since": since} if since and name == "draw_w" else None,
        )
        for name in columns
    ]
    schema = pa.schema(fields, metadata={"key": "run_id"})
    (folder / "parquet").mkdir(parents=True)
    pq.write_table(
        pa.table({"run_id": KEYS, **columns}, schema=schema), folder / "parquet" / "emissions.parquet"
    )
    return folder


def test_a_renamed_column_must_keep_its_old_name(tmp_path: Path) -> None:
    old = release(tmp_path / "old", draw_w=DRAWS)
    renamed = release(tmp_path / "new", watts_per_chip=DRAWS)
    (says,) = deprecation.broken(old, renamed, "0.4.2+aa")
    assert "emissions.draw_w is watts_per_chip now: keep the old name" in says
    both = release(tmp_path / "both", since="0.5.0", draw_w=DRAWS, watts_per_chip=DRAWS)
    assert deprecation.broken(old, both, "0.4.2+aa") == []


def test_a_column_that_is_gone_for_good_is_no_rename(tmp_path: Path) -> None:
    old = release(tmp_path / "old", draw_w=DRAWS)
    assert deprecation.broken(old, release(tmp_path / "a"), "0.4.2+aa") == []
    other = release(tmp_path / "b", pue=[1.1, 1.2, 1.3])
    assert deprecation.broken(old, other, "0.4.2+aa") == []


@pytest.mark.parametrize(
    ("version", "stays"),
    [("0.5.0+aa", True), ("0.5.7+aa", True), ("0.6.0+aa", False), ("0.10.0+aa", False), ("1.0.0+aa", False)],
)
def test_an_old_name_stays_in_two_minor_versions(tmp_path: Path, version: str, stays: bool) -> None:
    old = release(tmp_path / "old", since="0.5.0", draw_w=DRAWS, watts_per_chip=DRAWS)
    said = deprecation.broken(old, release(tmp_path / "new", watts_per_chip=DRAWS), version)
    assert bool(said) == stays
    assert not said or "emissions.draw_w is deprecated since 0.5.0" in said[0]


@pytest.mark.parametrize("since", ["0.5.0", "0.4.0"])
def test_a_version_that_had_the_name_as_it_was_does_not_count(tmp_path: Path, since: str) -> None:
    old = release(tmp_path / "old", draw_w=DRAWS)
    new = release(tmp_path / "new", since=since, draw_w=DRAWS, watts_per_chip=DRAWS)
    (says,) = deprecation.broken(old, new, "0.5.3+aa")
    assert f"emissions.draw_w cannot be deprecated since {since}, for 0.5.3+aa had it as it was" in says


def test_no_release_is_written_that_breaks_a_promise(build: Build, copy: Path) -> None:
    """The latest release had `method.spread`, which is `method.gsd` now."""
    file = copy / "releases" / build.release.name / "parquet" / "method.parquet"
    table = pq.read_table(file)
    names = ["spread" if name == "gsd" else name for name in table.column_names]
    pq.write_table(table.rename_columns(names), file)
    resum(copy / "releases" / build.release.name)
    earlier = build.release.name.replace("0.1.0+", "0.1.0+0")
    (copy / "releases" / build.release.name).rename(copy / "releases" / earlier)
    index = copy / "releases" / "index.json"
    index.write_text(index.read_text().replace(build.release.name, earlier))
    done = ote("release", "--warehouse", copy)
    assert done.returncode == 1
    assert "method.spread is gsd now: keep the old name as well" in done.stderr
    assert [folder.name for folder in (copy / "releases").iterdir() if folder.is_dir()].count(earlier) >= 1
    assert not list((copy / "releases").glob(f"*+{build.release.name.split('+')[1]}"))
