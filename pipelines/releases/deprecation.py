"""Which names a new release may not take away: queries of those who use the data must go on.

Belongs here: the two rules below. Does not belong here: what differs between releases (changes.py), or how a
column lives on under its old name (catalog.py, warehouse.py).

* A column that got another name keeps the old one as a copy.
* A copy stays in two minor versions at least, counted from a version that has it.
"""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

HOW = "see CONTRIBUTING.md, 'Rename a published column'"
ALIKE = 0.9  # share of equal values by which a new column is an old one with another name


def broken(old: Path, new: Path, old_version: str) -> list[str]:
    """The names of one release folder that the next takes away too early, a sentence each.

    Args:
        old: folder of the earlier release.
        new: folder of the later one.
        old_version: version of the earlier one.
    """
    found = []
    for before in sorted((old / "parquet").glob("*.parquet")):
        after = new / "parquet" / before.name
        if not after.exists():
            continue
        was, now = pq.read_schema(before), pq.read_schema(after)
        for name in now.names:
            since = _since(now, name)
            if name in was.names and since and not _since(was, name) and _minor(since) <= _minor(old_version):
                found.append(
                    f"{before.stem}.{name} cannot be deprecated since {since}, for {old_version} had it as "
                    f"it was: write the minor version that follows; {HOW}"
                )
        for name in sorted(set(was.names) - set(now.names)):
            since = _since(was, name)
            if since and _minor(old_version) <= _minor(since):
                found.append(
                    f"{before.stem}.{name} is deprecated since {since}, and must stay in two minor versions: "
                    f"{old_version} is of the first; {HOW}"
                )
            elif not since and (successor := _successor(before, after, was, now, name)):
                found.append(f"{before.stem}.{name} is {successor} now: keep the old name as well; {HOW}")
    return found


def _since(schema: pa.Schema, name: str) -> str:
    """The version from which on a column is deprecated; empty if it is not."""
    metadata: dict[bytes, bytes] = schema.field(name).metadata or {}
    return metadata.get(b"deprecated_since", b"").decode()


def _minor(version: str) -> tuple[int, int]:
    major, minor, _ = version.split("+")[0].split(".")
    return int(major), int(minor)


def _successor(before: Path, after: Path, was: pa.Schema, now: pa.Schema, name: str) -> str | None:
    """The new column that has the values of one that is gone."""
    key = (now.metadata or {}).get(b"key", b"").decode().split(", ")
    if not set(key) <= set(was.names):
        return None
    candidates: list[str] = sorted(set(now.names) - set(was.names))
    for candidate in candidates:
        if was.field(name).type != now.field(candidate).type:
            continue
        ((alike, values),) = duckdb.execute(
            f"""
            select avg(if(o."{name}" is not distinct from n."{candidate}", 1, 0)), count(distinct o."{name}")
            from read_parquet(?) as o
            inner join read_parquet(?) as n using ({", ".join(f'"{column}"' for column in key)})
            """,
            [str(before), str(after)],
        ).fetchall()
        if values > 1 and alike >= ALIKE:
            return candidate
    return None
