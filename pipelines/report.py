"""One page for people: what was checked in a build, why, what was seen, which rows failed.

Stands alone (no script, no remote style), so that it reads the same offline and in a release.
"""

from pathlib import Path

import duckdb
import jinja2

PAGE = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Checks: Open Training Emissions</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #d0d7de; overflow-wrap: anywhere; }
summary { cursor: pointer; padding: .2rem 0; }
code { font-size: .9em; } .failed { color: #b42318; font-weight: 600; } .passed { color: #116329; }
</style>
<h1>Open Training Emissions: checks of this build</h1>
<p>{{ passed }} of {{ total }} expectations hold, on {{ tables | length }} tables.
{% if passed == total %}<span class="passed">Nothing failed.</span>{% else %}
<span class="failed">{{ total - passed }} failed: nothing that rests on them was published.</span>{% endif %}</p>
{% for name, row_count, results in tables %}
<details{% if results | rejectattr("success") | list %} open{% endif %}>
<summary><code>{{ name }}</code>, {{ row_count }} rows, {{ results | length }} expectations:
{% if results | rejectattr("success") | list %}<span class="failed">{{ results | rejectattr("success") | list | length }} failed</span>
{% else %}<span class="passed">all hold</span>{% endif %}</summary>
<table>
<tr><th>Holds</th><th>Expectation</th><th>Why</th><th>Observed</th><th>Failing rows</th></tr>
{% for r in results | sort(attribute="success") %}
<tr><td class="{{ 'passed' if r.success else 'failed' }}">{{ "yes" if r.success else "no" }}</td>
<td>{{ r.label }}</td><td>{{ r.why }}</td><td>{{ r.observed }}</td>
<td>{% if not r.success %}{{ r.unexpected_count }}: <code>{{ r.examples }}</code>{% endif %}</td></tr>
{% endfor %}
</table>
</details>
{% endfor %}
</html>
""")


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
        label = check.replace("_", " ") if expectation == "unexpected_rows_expectation" else (
            expectation.removeprefix("expect_").replace("_", " ")
        )
        result = {
            "label": f"{column}: {label}" if column else label,
            "why": why,
            "success": success,
            "observed": observed,
            "unexpected_count": count,
            "examples": examples,
        }
        tables.setdefault(name, (name, row_count, []))[2].append(result)
    outcomes = [bool(result["success"]) for _, _, results in tables.values() for result in results]
    return PAGE.render(tables=list(tables.values()), passed=sum(outcomes), total=len(outcomes))


def write(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write the page, whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(render(connection), encoding="utf-8")
    partial.replace(path)
