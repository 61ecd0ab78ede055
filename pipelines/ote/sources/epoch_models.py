"""Epoch AI's lists of AI models, as raw.epoch_models.

Belongs here: which file and which header hold what, over the years. Does not belong here: which model is
which run of ours (sql/core).
"""

import io
import zipfile
import zlib
from collections.abc import Mapping

import polars as pl

from ote.ingestion.tabular import UpstreamChangedError, read_csv, rename

FOLDER = "epoch_models"
ZIP = f"{FOLDER}/ai_models.zip"
# Widest first: a model that an earlier file names is not taken again from a later one.
MEMBERS = (
    "all_ai_models.csv",
    "notable_ai_models.csv",
    "large_scale_ai_models.csv",
    "frontier_ai_models.csv",
)
LARGEST_MEMBER = 200_000_000  # bytes unpacked; the largest of 2026 has 6 MB

SPELLINGS = {
    "model": ("Model", "System"),
    "organizations": ("Organization",),
    "countries": ("Country (of organization)", "Country (from Organization)"),
    "published_date": ("Publication date",),
    "domain": ("Domain",),
    "upstream_parameters": ("Parameters",),
    "upstream_training_flop": ("Training compute (FLOP)",),
    "finetune_flop": ("Finetune compute (FLOP)",),
    "base_model": ("Base model",),
    "training_hours": ("Training time (hours)",),
    "hardware": ("Training hardware",),
    "chips": ("Hardware quantity",),
    "chip_hours": ("Training chip-hours",),
    "mfu": ("Hardware utilization (MFU)", "Hardware utilization"),
    "precision": ("Numerical format",),
    "training_power_draw_w": ("Training power draw (W)",),
    "cloud_vendor": ("Training cloud compute vendor",),
    "data_center": ("Training data center",),
    "confidence": ("Confidence",),
    "compute_estimation_method": ("Training compute estimation method",),
    "source_link": ("Link",),
    "reference_title": ("Reference",),
}
# What a file never held. A column that it did hold and that is gone was renamed or dropped: to be seen.
EXTRAS = frozenset(
    {
        "chip_hours",
        "precision",
        "training_power_draw_w",
        "cloud_vendor",
        "data_center",
        "compute_estimation_method",
    }
)
LACKS = {
    "all_ai_models.csv": frozenset[str](),
    "notable_ai_models.csv": EXTRAS - {"precision", "training_power_draw_w"},
    "large_scale_ai_models.csv": EXTRAS,
    "frontier_ai_models.csv": frozenset({"cloud_vendor"}),
}
# Headers of 2024 and early 2025 are known by this column, and lack what was added after them.
OLD_HEADER = "Country (from Organization)"
OLD_LACKS = frozenset({"chip_hours", "precision", "training_power_draw_w", "compute_estimation_method"})


def parse(files: Mapping[str, bytes]) -> pl.DataFrame:
    """The models of all files, those of the widest first; every cell as text.

    Where one file names a model twice, both rows stay, the one that tells more first.

    Args:
        files: the zip, or without it any of the CSV files that are its members.

    Raises:
        UpstreamChangedError: no file is there, the zip or one of its members cannot be read, or a file lacks
            a column that it is known for.
    """
    tables = _members(files)
    models = pl.concat([_models(tables[name], name) for name in MEMBERS if name in tables])
    # The files stand in the order of MEMBERS, so the first row of a name is of the widest file that has it.
    return models.filter(pl.col("file") == pl.col("file").first().over("model"))


def _members(files: Mapping[str, bytes]) -> dict[str, bytes]:
    if ZIP in files:
        return _unzip(files[ZIP])
    found = {name: files[f"{FOLDER}/{name}"] for name in MEMBERS if f"{FOLDER}/{name}" in files}
    if not found:
        raise UpstreamChangedError(f"{ZIP}: not there, nor any of {', '.join(MEMBERS)} in its place")
    return found


def _unzip(content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            sizes = {member.filename: member.file_size for member in archive.infolist()}
            if missing := [name for name in MEMBERS if name not in sizes]:
                raise UpstreamChangedError(f"{ZIP}: no {', '.join(missing)}; it holds {', '.join(sizes)}")
            if large := [name for name in MEMBERS if sizes[name] > LARGEST_MEMBER]:
                raise UpstreamChangedError(
                    f"{ZIP}: {', '.join(large)} unpacks to over {LARGEST_MEMBER} bytes"
                )
            return {name: archive.read(name) for name in MEMBERS}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        # RuntimeError is how zipfile refuses an encrypted member, NotImplementedError an unknown packing.
        raise UpstreamChangedError(f"{ZIP}: not a zip that can be read ({error})") from None


def _models(content: bytes, name: str) -> pl.DataFrame:
    file = f"{FOLDER}/{name}"
    table = read_csv(content, file)
    lacks = LACKS[name] | (OLD_LACKS if OLD_HEADER in table.columns else frozenset())
    models = rename(table, file, SPELLINGS, lacks).with_columns(
        # Fifteen names of 2026-03 stand there twice, but for blanks or tabs at the end.
        pl.col("model").str.strip_chars(),
        whole_number_text("chips"),
        # Some cells hold several addresses, a line each.
        pl.col("source_link").str.strip_chars().str.split("\n").list.first().str.strip_chars(),
        file=pl.lit(name),
    )
    return _fuller_first(models)


def whole_number_text(column: str) -> pl.Expr:
    """A whole number that upstream wrote as a float ("512.0", "7e9") as digits; any other cell as it is.

    Exact: only below 2**53, where every whole float is one whole number.
    """
    cell = pl.col(column)
    number = cell.cast(pl.Float64, strict=False)
    is_whole = (number == number.round(0)) & (number.abs() < 2**53)
    return pl.when(is_whole).then(number.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(cell)


def _fuller_first(models: pl.DataFrame) -> pl.DataFrame:
    """The rows in their order, but of one name first the one with an organization, then with more cells."""
    return (
        models.with_row_index("row")
        .with_columns(
            group=pl.col("row").min().over("model"),
            nulls=pl.sum_horizontal(pl.col(models.columns).is_null()),
        )
        .sort("group", pl.col("organizations").is_null(), "nulls", "row")
        .select(models.columns)
    )
