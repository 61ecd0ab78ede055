"""One page for people: what was checked in a build, why, what was seen, which rows failed.

Stands alone (no script, no remote style), so that it reads the same offline and in a release.
"""

import json
from pathlib import Path

import duckdb
import jinja2

PAGE = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
).get_template("report.html")


def render(connection: duckdb.DuckDBPyConnection) -> str:
    """The page for the checks recorded in a working database."""
    rows = connection.execute(
        "select r.name, t.row_count, r.check_name, r.expectation, r.column_name, r.why, r.success, "
        "r.observed, r.unexpected_count, r.examples "
        "from state.results as r inner join state.tables as t on r.name = t.name "
        "order by r.name, r.check_name, r.expectation, r.column_name, r.why"
    ).fetchall()
    tables: dict[str, tuple[str, int, list[dict[str, object]]]] = {}
    for name, row_count, check, expectation, column, why, success, observed, count, examples in rows:
        label = (
            check.replace("_", " ")
            if expectation == "unexpected_rows_expectation"
            else (expectation.removeprefix("expect_").replace("_", " "))
        )
        result = {
            "label": f"{column}: {label}" if column else label,
            "why": why,
            "success": success,
            "observed": observed,
            "unexpected_count": count,
            "examples": json.loads(examples) if examples else [],
        }
        tables.setdefault(name, (name, row_count, []))[2].append(result)
    in_order = sorted(tables.values(), key=lambda table: all(result["success"] for result in table[2]))
    outcomes = [bool(result["success"]) for _, _, results in tables.values() for result in results]
    page: str = PAGE.render(tables=in_order, passed=sum(outcomes), total=len(outcomes))
    return page


def write(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write the page, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(render(connection), encoding="utf-8")
    partial.replace(path)
