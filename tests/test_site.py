"""The pages: what they say is what the tables say, names are text, every link leads somewhere."""

import gzip
import json
import re
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape, unescape
from html.parser import HTMLParser
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ote import catalog
from ote.answers import estimate as estimating
from ote.answers import quantities, where
from ote.answers.words import COVERS, LIMITS
from ote.releases import publishing, reading
from ote.site import building, charts, data, guides, pages, questions, scope, serving
from tests.conftest import Build, ote

EVIL = "<img src=x onerror=alert(1)>\"'</script>&"
GPT_3 = "run/gpt-3-175b.html"
INDEX_BYTES, RUNS = 150_000, 5_000  # of the first page over the wire, and what that holds for


class Reader(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        """Read a page."""
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and its attributes."""
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def values(self, attribute: str) -> list[str]:
        """The values of an attribute."""
        return [value for _, name, value in self.attributes if name == attribute]


@pytest.fixture(scope="module")
def site(build: Build) -> Path:
    return build.directory / building.FOLDER


@pytest.fixture(scope="module")
def release(build: Build) -> Iterator[data.Data]:
    opened = data.opened(build.release)
    yield opened
    opened.connection.close()


def text_of(site: Path, name: str) -> str:
    return (site / name).read_text(encoding="utf-8")


def words_of(page: str) -> str:
    """What a reader sees, with plain blanks."""
    return unescape(re.sub(r"<[^>]+>", " ", page)).replace("\N{NO-BREAK SPACE}", " ")


def edited(build: Build, folder: Path, *statements: str) -> Path:
    """A copy of the release with other rows."""
    copy = Path(shutil.copytree(build.release, folder / build.release.name))
    database = copy / "open-training-emissions.duckdb"
    database.chmod(0o644)
    with duckdb.connect(str(database)) as connection:
        for statement in statements:
            connection.execute(statement, {"evil": EVIL} if "$evil" in statement else None)
    return copy


def test_each_row_has_a_page_and_each_page_a_row(build: Build, site: Path) -> None:
    for folder, query in (
        (
            "run",
            "select run_id from emissions union select run_id from run_relations where relation = 'merged'",
        ),
        ("hardware", "select hardware_id from hardware"),
        ("source", "select source_id from sources"),
    ):
        assert {file.stem for file in (site / folder).iterdir()} == {row[0] for row in build.query(query)}
    regions = {row[0] for row in build.query("select distinct region from locations")}
    assert regions <= {file.stem for file in (site / "location").iterdir()}
    guide_names = {page.path for page in guides.pages(catalog.ROOT)}
    assert guide_names <= {file.relative_to(site).as_posix() for file in site.rglob("*.html")}


def test_gpt_3_has_the_figures_of_the_paper_and_its_source(site: Path) -> None:
    words = words_of(text_of(site, "run/gpt-3-175b.html"))
    assert "Training GPT-3 used 1.29 GWh of electricity (1.22 to 1.36 GWh)" in words
    assert "emitted 553 t gross CO2e (520 to 589 t)" in words
    assert "Lists of runs show its life-cycle CO2e: 531 t." in words
    assert 'href="../source/arxiv-org-abs-2104-10350.html"' in text_of(site, "run/gpt-3-175b.html")
    assert "https://arxiv.org/abs/2104.10350" in text_of(site, "source/arxiv-org-abs-2104-10350.html")


def test_every_run_says_what_its_table_says(build: Build, site: Path) -> None:
    rows = build.query(
        "select run_id, model, energy_mwh, energy_mwh_p05, energy_mwh_p95, co2e_gross_t_p05, "
        "co2e_gross_t_p95, solidity, covers from emissions"
    )
    for run_id, model, energy, low, high, t_low, t_high, solidity, covers in rows:
        lead = text_of(site, f"run/{run_id}.html").split('<p class="lead">')[1].split("</p>")[0]
        words = words_of(lead)
        assert words.startswith(COVERS[covers][0].format(run=model))
        assert ("at most " in words, "at least " in words) == (
            covers == "upper_bound",
            covers == "lower_bound",
        )
        assert words.rstrip().endswith(solidity)
        assert quantities.energy_span(low, high) in words
        assert t_low is None or quantities.mass_span(t_low, t_high) in words
        assert quantities.is_guess(low, high) != (f" {quantities.energy(energy)} of" in words)


def test_a_number_is_never_parted_from_its_unit_nor_a_link_from_its_comma(build: Build, site: Path) -> None:
    ((run_id,),) = build.query("select run_id from emissions order by energy_mwh limit 1")
    page = text_of(site, f"run/{run_id}.html")
    assert "µWh" in page
    assert not re.search(r"0\.0000", words_of(page.split("<main")[1].split('id="cite"')[0]))
    for name in (f"run/{run_id}.html", GPT_3, "index.html", "totals.html"):
        shown = text_of(site, name).split("<main")[1]
        assert not re.search(r"\d (?:[µmkMGT]?Wh|[µmk]?g|k?t|%)[\s<,.;)]", shown), name
    assert re.search(r'<span class="item"><a href="[^"]+">[^<]+</a>,</span> <a', page)


def test_the_guides_are_listed_by_reader_and_never_cut(site: Path) -> None:
    page = text_of(site, "docs/index.html").split("<main")[1]
    assert re.findall(r"<h2>([^<]+)</h2>", page) == [
        "Use the data",
        "Estimate your own run",
        "Python",
        "The method",
        "Contribute",
    ]
    first, last = (page.split("<section>")[number] for number in (1, -1))
    assert 'href="../docs/use-the-data.html"' in first.split("</tr>")[1]
    assert 'href="../docs/architecture.html"' in last
    assert "rest-of-rows" not in page
    listed = set(re.findall(r'<th scope="row"[^>]*><a href="\.\./(docs/[^"]+)"', page))
    assert listed == {guide.path for guide in guides.pages(catalog.ROOT)} - {"docs/index.html"}


def test_a_run_says_near_its_answer_what_was_published_and_at_its_hours_what_was_assumed(site: Path) -> None:
    published = {
        GPT_3: "A third party published 1.29 GWh (with servers and PUE). The estimate here is 1.00 times",
        "run/bloom-176b.html": "The developer published 30.0 t gross CO2e (with servers and PUE).",
    }
    for name, says in published.items():
        assert says in words_of(text_of(site, name).split('class="lead"')[1].split("<dl")[0])
    derivation = words_of(text_of(site, GPT_3).split('id="derivation"')[1].split("<ol")[0])
    assert "The number of accelerators (10,000) is taken from a press release" in derivation
    assert "The 90 % interval does not include an error of this assumption." in derivation


def test_a_limit_is_called_a_limit_and_so_is_its_interval(build: Build, site: Path) -> None:
    lead = words_of(text_of(site, "run/llama-3.3-70b.html").split('<p class="lead">')[1].split("</p>")[0])
    assert lead.startswith(
        "Training Llama 3.3 70B used at most 6.62 GWh of electricity, and emitted at most 2.54 kt gross "
        "CO2e. The limit itself is an estimate: 4.65 to 9.45 GWh and 1.37 to 4.73 kt (90 % intervals of the "
        "limit)."
    )
    for run_id, covers in build.query("select run_id, covers from emissions"):
        words = words_of(text_of(site, f"run/{run_id}.html"))
        for kind, means in LIMITS.items():
            assert (means in words) == (covers == kind), run_id
        assert ("90 % intervals of the limit" in words) == (covers in LIMITS), run_id


def test_each_way_of_counting_tonnes_is_explained_next_to_its_number(build: Build, site: Path) -> None:
    table = words_of(text_of(site, "run/llama-3.3-70b.html").split('id="counted"')[1].split("</section>")[0])
    ((gross, lifecycle, market),) = build.query(
        "select co2e_gross_t, co2e_lifecycle_t, co2e_market_t from emissions where run_id = 'llama-3.3-70b'"
    )
    assert gross / market > 100  # the reason for the sentence
    for name, value, means in (
        ("gross (location-based)", gross, "average emissions of the grid"),
        ("life-cycle", lifecycle, "with the fuel supply and the building of power plants"),
        ("market-based", market, "contracts and certificates that the operator bought for the year"),
    ):
        row = table.split(name)[1]
        assert row.split()[:2] == quantities.mass(value).split()
        assert means in row


def test_what_a_run_leaves_out_and_its_rates_are_on_its_page(build: Build, site: Path) -> None:
    words = words_of(text_of(site, "run/gpt-3-175b.html"))
    ((left_out, tokens, rate, low, high),) = build.query(
        "select left_out_t, training_tokens, kg_per_billion_tokens, kg_per_billion_tokens_p05, "
        "kg_per_billion_tokens_p95 from left_out join rates using (run_id) join model_sizes using (run_id) "
        "where run_id = 'gpt-3-175b'"
    )
    rest = words.split("Not counted above")[1]
    assert (
        quantities.mass(left_out) in rest.split("CO2e of experiments, failed runs and idle machines")[1][:60]
    )
    row = rest.split("billion training tokens")[1][:80].split("  ")
    shown = [part.strip() for part in row if part.strip()]
    assert shown[:3] == [
        quantities.count(tokens),
        quantities.mass(rate / 1000),
        quantities.mass_span(low / 1000, high / 1000),
    ]


def test_the_page_of_overheads_and_the_page_of_rates_say_what_their_tables_say(
    build: Build, site: Path
) -> None:
    words = words_of(text_of(site, "left-out.html"))
    for project, ratio in build.query("select project, overhead_ratio from project_overheads"):
        assert project in words
        assert f" {ratio:g} " in words.split(project)[1]
    assert "the whole project used about 2.3 times as much as its final run" in words
    listed = {*re.findall(r'href="run/([^"]+)\.html">[^<]+</a></th>', text_of(site, "rates.html"))}
    assert listed == {
        run_id
        for (run_id,) in build.query(
            "select run_id from rates join emissions using (run_id) where covers = 'one_run' "
            "and kg_per_exaflop is not null and solidity <> 'guessed'"
        )
    }


def test_the_days_and_all_rates_are_set_to_the_right() -> None:
    table = scope._table([])
    assert {table.headers[place] for place in table.numeric} == {"Published", *dict(scope.RATES).values()}


def test_a_year_without_a_run_has_no_mark_and_a_year_that_is_not_over_says_so(
    build: Build, site: Path
) -> None:
    page = text_of(site, "trends.html")
    shares = build.query(
        "select run_set, period, run_count from trends where measure = 'share' and quantity = 'energy_mwh'"
    )
    assert any(not count for _, _, count in shares)
    for name, year, count in shares:
        is_drawn = bool(count) and year < release_year(build)
        assert (f"<title>{name}, {year}: " in page) == is_drawn, (name, year)
    years = text_of(site, "disclosure.html").split('id="years"')[1]
    assert f"<title>location, {int(release_year(build)) - 1}: " in years
    assert f"<title>location, {release_year(build)}: " not in years, "a few runs of a year that is not over"
    growths = dict(
        build.query("select run_set, p50 from trends where measure = 'growth' and quantity = 'energy_mwh'")
    )
    for chart, run_set in zip(page.split("<figure")[1:3], ("five_largest_runs", "all_runs"), strict=True):
        line = re.search(r'class="line even" x1="[\d.]+%" y1="([\d.]+)%" x2="[\d.]+%" y2="([\d.]+)%"', chart)
        assert line is not None
        ticks = [float(at) for at in re.findall(r'y1="([\d.]+)%" y2="[\d.]+%"/>', chart)]
        decades = 2 * (float(line[1]) - float(line[2])) / abs(ticks[1] - ticks[0])  # two powers of ten a tick
        assert 10 ** (decades / 9) == pytest.approx(growths[run_set], rel=0.01)  # 2016 to 2025
        assert f"growth of {quantities.significant(growths[run_set], 2)} times a year" in words_of(chart)
    largest = {*re.findall(r'href="run/([^"]+)\.html"', page.split("<figure")[1])}
    assert len(largest) == 50, "five of each of ten years"
    day = str(build.query("select max(published_date) from emissions")[0][0])
    assert "is not over in this release of" in words_of(page)
    totals = text_of(site, "totals.html")
    assert ("<small>not over</small>" in totals) == (day[:4] == release_year(build))


def release_year(build: Build) -> str:
    """The year of the day of the release."""
    found = re.search(
        r"date-released: '?(\d{4})", (build.release / "CITATION.cff").read_text(encoding="utf-8")
    )
    assert found is not None
    return found[1]


def test_an_organisation_begins_with_what_its_whole_runs_used_together(build: Build, site: Path) -> None:
    ((runs, p50, low, high),) = build.query(
        "select run_count, energy_mwh_p50, energy_mwh_p05, energy_mwh_p95 from totals "
        "where group_kind = 'organisation' and group_value = 'Google'"
    )
    words = words_of(text_of(site, "organisation/google.html"))
    assert f"The {runs} whole runs with this organisation as the first used {quantities.energy(p50)}" in words
    assert quantities.energy_span(low, high) in words


def test_measured_power_comes_before_what_is_only_stated(build: Build, site: Path) -> None:
    page = (
        text_of(site, "hardware/nvidia-h100-sxm5-80gb.html").split('id="power-rows"')[1].split("</table>")[0]
    )
    shown = re.findall(r"<td[^>]*>([\d,.]+)\sW</td><td[^>]*>(<span|not)", page)
    measured = ["measured" if kind == "<span" else "not" for _, kind in shown]
    assert measured == sorted(measured)
    assert {*measured} == {"measured", "not"}
    ((whole,),) = build.query(
        "select count(*) from system_power where hardware_id = 'nvidia-h100-sxm5-80gb' "
        "and power_basis = 'measured_system'"
    )
    watts = [float(value.replace(",", "")) for value, _ in shown][:whole]
    assert watts == sorted(watts, reverse=True)


def test_a_row_that_is_not_a_whole_run_says_so_in_every_list(build: Build, site: Path) -> None:
    covers = dict(build.query("select run_id, covers from emissions"))
    runs = {run["id"]: run["covers"] for run in json.loads(text_of(site, "runs.json"))}
    assert {run_id for run_id, shown in runs.items() if shown} == {
        run_id for run_id, of in covers.items() if of != "one_run"
    }
    assert runs["llama-3.3-70b"] == "upper bound"
    page = text_of(site, "organisation/meta.html")
    rows = {
        name: row for row in page.split("<tr>") for name in re.findall(r'href="../run/([^"]+)\.html"', row)
    }
    assert "upper bound" in rows["llama-3.3-70b"]
    assert words_of(rows["llama-3.3-70b"]).count("at most ") == 2, "energy and CO2e"
    assert " to " not in words_of(rows["llama-3.3-70b"]), "the interval of a limit is explained on its page"
    assert "upper bound" not in rows["llama-3.1-70b"]


def test_totals_and_trends_begin_with_the_answer(build: Build, site: Path) -> None:
    ((runs, p50, p05, p95, guessed),) = build.query(
        "select run_count, energy_mwh_p50, energy_mwh_p05, energy_mwh_p95, guessed_share_fraction "
        "from totals where group_kind = 'all'"
    )
    lead = words_of(re.search(r'<p class="lead">.*?</p>', text_of(site, "totals.html"), re.S)[0])  # type: ignore[index]
    assert f"{runs:,} whole training runs" in lead
    assert f"{quantities.energy(p50)} together" in lead
    assert quantities.energy_span(p05, p95) in lead
    assert f"guesses make up {100 * guessed:.0f} % of the mean" in lead
    ((growth,),) = build.query(
        "select p50 from trends where measure = 'growth' and run_set = 'five_largest_runs' "
        "and quantity = 'energy_mwh'"
    )
    lead = words_of(re.search(r'<p class="lead">.*?</p>', text_of(site, "trends.html"), re.S)[0])  # type: ignore[index]
    assert f"grew {quantities.significant(growth, 2)} times a year" in lead


def test_every_group_of_a_total_is_on_the_page(build: Build, site: Path) -> None:
    page = text_of(site, "totals.html")
    for (name,) in build.query(
        "select group_value from totals where group_kind in ('organisation', 'domain')"
    ):
        assert escape(name) in page, name


def test_the_pages_answer_how_accurate_and_who_discloses_most(build: Build, site: Path) -> None:
    """In their first sentences, with the figures of the tables; estimators have names that people know."""
    accuracy = words_of(text_of(site, "accuracy.html"))
    ((hours, count),) = build.query(
        "select median_error_ratio, n_observations from accuracy where estimator = 'ote' "
        "and quantity = 'chip_hours' and held_out = 'chip_hours' and held_out_scope = 'developer'"
    )
    lead = accuracy.split("Accuracy\n")[-1]
    assert (
        "accelerator-hours from FLOP are within a factor of "
        f"{hours:.2f} of the published value ({count} values)" in lead
    )
    assert re.search(r"median error, gross CO2e\s+\S+ \S+ \(7 values\)", lead), "the main number"
    ((least, inside, values),) = build.query(
        "select coverage_fraction, round(coverage_fraction * n_observations), n_observations from accuracy "
        "where estimator = 'ote' order by coverage_fraction limit 1"
    )
    assert f"contain the published value in {100 * least:.0f} to " in lead, "the least of the whole table"
    assert f"The lowest share is {inside:.0f} of {values} values." in lead
    assert "Only the run itself is hidden: other runs of its developer stay." in accuracy
    assert "out too" not in accuracy
    assert "_metered" not in accuracy
    assert "carbontracker simulated" not in accuracy
    by_hand = Counter[str]()
    for organisations, *facts in build.query(
        "select t.organisations, coalesce(e.hours_stated_by in ('developer', 'developer_quoted'), false), "
        "coalesce(e.watts_basis = 'disclosed_measured', false) and e.hours_stated_by <> 'third_party', "
        "t.site is not null or t.cloud_region is not null or t.site_country is not null, "
        "coalesce(e.pue_basis = 'disclosed' and e.hours_stated_by is distinct from 'third_party', false) "
        "from training_runs t left join emissions e using (run_id) "
        "where coalesce(t.covers, 'one_run') <> 'hypothetical' and t.organisations is not null"
    ):
        for name in organisations.split(";"):
            by_hand[name.strip()] += sum(map(bool, facts))
    ((name, most),) = by_hand.most_common(1)
    disclosure = words_of(text_of(site, "disclosure.html"))
    assert f"{name} published most: {most} facts on its" in disclosure


def test_no_list_of_regions_mixes_kinds_of_intensity_or_years(build: Build, site: Path) -> None:
    """Each region is once in each kind, in its latest year, cleanest with PUE first; countries come last."""
    page = text_of(site, "locations.html")
    latest = build.query(
        "select intensity_basis, region, factor_year, pue * gross_kg_per_kwh from locations "
        "qualify factor_year = max(factor_year) over (partition by intensity_basis, region)"
    )
    for kind, year in {(kind, year) for kind, _, year, _ in latest}:
        table = page.split(f'id="locations-{kind}-{year}"')[1].split("</table>")[0]
        values = {region: value for k, region, y, value in latest if (k, y) == (kind, year)}
        listed = re.findall(r'href="location/([^"]+)\.html">[^<]+</a><small', table)
        assert {*listed} == {*values}
        assert [values[region] for region in listed] == sorted(values.values())
    countries = page.index('id="countries"')
    assert countries > max(page.index(f'id="locations-{kind}-{year}"') for kind, _, year, _ in latest)
    assert not re.search(r'href="location/[A-Z]{2}\.html">[^<]+</a></th>', page[:countries])


def test_the_page_of_locations_begins_with_regions_that_are_alike(build: Build, site: Path) -> None:
    page = words_of(text_of(site, "locations.html"))
    for kind in ("direct", "life-cycle"):
        rows = build.query(
            "select region, provider, factor_year, pue * gross_kg_per_kwh, ln(gross_gsd) from locations "
            f"where intensity_basis = '{kind.replace('-', '')}' "
            "qualify factor_year = max(factor_year) over (partition by region)"
        )
        year = max(row[2] for row in rows)
        first, *others = sorted((row for row in rows if row[2] == year), key=lambda row: row[3])
        alike = [row for row in others if where.chance(*first[3:], *row[3:]) < data.SURE]
        assert alike
        found = re.search(
            rf"By {kind} intensity of {year}, the {len(alike) + 1} cloud regions with the least emissions "
            rf"cannot be told apart \({first[3]:.3f} to {alike[-1][3]:.3f} kg/kWh; {len(others) + 1} "
            r"regions([^)]*)\)",
            page,
        )
        assert found is not None, kind
        operators = {row[1] for row in (first, *others)}
        assert found[1] == (f", all of {first[1]}" if len(operators) == 1 else "")
        assert f"{first[0]} ({first[1]})" in page, "with its operator"


def test_a_group_of_regions_has_the_emissions_of_each(release: data.Data, site: Path) -> None:
    year = max(release.elsewhere)
    page = words_of(text_of(site, f"groups/{year}.html"))
    for location in release.elsewhere[year][0]:
        assert re.search(rf"{re.escape(location.region)}\s+{location.t:.3f}\s", page)


def test_the_list_of_sources_counts_the_runs_that_depend_on_each_most_used_first(site: Path) -> None:
    rows = re.findall(
        r'<a href="(source/[^"]+)">.*?data-of="Runs">([\d,]+)<', text_of(site, "sources.html"), flags=re.S
    )
    counts = [int(count.replace(",", "")) for _, count in rows]
    assert counts == sorted(counts, reverse=True)
    for (path, count), number in zip(rows[:30], counts[:30], strict=True):
        assert f"{count} training run{'s' * (number != 1)} of this dataset depend" in text_of(site, path)


def test_each_page_shows_where_it_is_in_the_menu(site: Path) -> None:
    for name, current in (
        ("index.html", 'page">Runs'),
        ("locations.html", 'page">Locations'),
        ("location/FR.html", 'true">Locations'),
        ("run/gpt-3-175b.html", 'true">Runs'),
        ("docs/glossary.html", 'true">Guides'),
    ):
        page = text_of(site, name)
        assert page.count(f'aria-current="{current}</a>') == page.count("aria-current") == 2, name
        assert f"<summary>Menu: <b>{current.partition('>')[2]}</b></summary>" in page


def test_a_name_in_the_first_chart_is_tied_to_the_mark_of_its_run(site: Path) -> None:
    page = text_of(site, "index.html")
    marks = {run["id"]: run["at"] for run in json.loads(text_of(site, "runs.json"))}
    names = re.findall(
        r'class="name" href="run/[^"]+" tabindex="-1" data-run="([^"]+)"><title>[^<]+</title>'
        r'<line x1="([\d.]+)%" y1="([\d.]+)%" x2="([\d.]+)%" y2="([\d.]+)%"/>'
        r'<circle cx="([\d.]+)%" cy="([\d.]+)%"',
        page,
    )
    assert {run_id for run_id, *_ in names} == {*pages.NAMED_RUNS}
    for run_id, *ends in names:
        x, y, text_x, text_y, ring_x, ring_y = map(float, ends)
        assert [x, y] == [ring_x, ring_y] == marks[run_id][:2]
        assert (text_x, text_y) != (x, y)


def test_a_run_below_the_axis_stands_under_it_and_is_counted(build: Build, site: Path) -> None:
    marks = {run["id"]: run["at"] for run in json.loads(text_of(site, "runs.json"))}
    below = {
        run_id
        for (run_id,) in build.query(
            "select run_id from emissions where published_date is not null "
            "and if(solidity = 'guessed', energy_mwh_p95, energy_mwh) < 1e-6"
        )
    }
    assert below
    assert {run_id for run_id, at in marks.items() if at and at[1] and at[1] > charts.BOTTOM} == below
    page = text_of(site, "index.html")
    assert f'href="../{build.release.name}/csv/emissions.csv"' in page.split("<noscript>")[-1]
    assert f"below 1\N{NO-BREAK SPACE}Wh ({quantities.counted(len(below), 'run')})" in page
    for run_id in below:
        assert '<path d="' in page.split(f'href="run/{run_id}.html"')[1].split("</a>")[0]


def test_a_line_over_years_has_no_part_over_a_missing_year() -> None:
    points = [(2018.0, 1.2), (2019.0, 1.1), (2021.0, 1.1), (2022.0, 1.05)]
    chart = charts.series("PUE", "", [("disclosed", "PUE", points)], base=1.0)
    x = {mark.label[:4]: mark.x for mark in chart.marks}
    assert [(line.x1, line.x2) for line in chart.lines] == [(x["2018"], x["2019"]), (x["2021"], x["2022"])]
    assert (chart.y_ticks[0].label, chart.y_ticks[0].at) == ("1", charts.BOTTOM)


def test_names_cover_no_mark_and_no_other_name() -> None:
    points = [(x, 60.0 - x / 2) for x in range(20, 90)]
    names = [charts.Name(x=x, y=60.0 - x / 2, text="A name", run_id=str(x)) for x in (70.0, 72.0, 74.0)]
    boxes = [(n.text_x - 6 * charts.LETTER, n.text_x, n.text_y) for n in charts.placed(names, points)]
    for left, right, base in boxes:
        assert not any(left <= x <= right and base - charts.LINE <= y <= base for x, y in points)
    for (left, right, base), (other_left, other_right, other) in pairwise(boxes):
        assert right < other_left or other_right < left or abs(base - other) >= charts.LINE


def test_an_entry_says_how_to_get_the_release(build: Build, site: Path) -> None:
    for name in ("run/gpt-3-175b.html", "download.html"):
        entry = re.search(r"@misc\{.*?\n\}", unescape(text_of(site, name)), re.DOTALL)
        assert entry is not None
        assert "url = " not in entry[0]  # no address is known
        commit = reading.manifest(build.release)["commit"]
        version = f"version = {{{build.release.name}"
        for said in ("year = {20", "date = {20", version, "make dataset", f"Commit {commit}", reading.SUMS):
            assert said in entry[0]


def test_a_group_of_locations_leads_to_all_of_them(release: data.Data, site: Path) -> None:
    for year, groups in release.elsewhere.items():
        page = text_of(site, f"groups/{year}.html")
        for place, group in enumerate(groups, start=1):
            section = page.split(f'id="group-{place}"')[1].split("</section>")[0]
            listed = re.findall(r'href="../location/([^"]+)\.html"', section)
            assert listed == [location.region for location in group]
    shown = re.findall(
        r'href="(../groups/\d+\.html#group-\d+)">and \d+ more of this group', text_of(site, GPT_3)
    )
    assert len(shown) == sum(len(group) > pages.NAMED for group in release.elsewhere[2020])


def test_a_run_says_who_stated_its_hours_and_why_tonnes_differ(site: Path) -> None:
    words = words_of(text_of(site, "run/gpt-3-175b.html"))
    assert "stated or computed by somebody other than the developer" in words
    assert "The number of accelerators (10,000) is taken from a press release" in words
    assert "Life-cycle CO2e is below gross here because" in words
    assert "The developer published" not in words


def test_a_guess_is_an_interval_everywhere_and_never_first(build: Build, site: Path) -> None:
    guesses = {
        run_id: (energy, hours)
        for run_id, energy, hours in build.query(
            "select run_id, energy_mwh, chip_hours from emissions where solidity = 'guessed'"
        )
    }
    assert len(guesses) > 100
    runs = json.loads(text_of(site, "runs.json"))
    order = [run["last"] for run in runs]
    assert order == sorted(order), "whole values, then limits, then guesses"
    assert {run["id"] for run in runs if run["last"] == 2} == {*guesses}
    assert all(run["covers"].endswith(" bound") for run in runs if run["last"] == 1)
    assert not any(run["covers"].endswith(" bound") for run in runs if run["last"] == 0)
    assert all((run["mwh"][0] is None) == (run["id"] in guesses) for run in runs)
    assert all(run["energy"] == "" for run in runs if run["id"] in guesses)
    for run_id, (energy, hours) in guesses.items():
        page = text_of(site, f"run/{run_id}.html")
        product = words_of(page.split("What multiplies what")[1].split("</section>")[0])
        assert quantities.energy(energy) not in re.split(r"\s{2,}", product)
        assert hours is None or f" {quantities.count(hours)} h " not in product
        assert f'"value": {float(f"{energy:.4g}")}' not in page
    first = text_of(site, "index.html").split("<tbody>")[1].split("</tr>")[0]
    assert not any(f"run/{run_id}.html" in first for run_id in guesses)


def test_what_is_loaded_on_demand_is_the_table(build: Build, site: Path) -> None:
    runs = {run["id"]: run for run in json.loads(text_of(site, "runs.json"))}
    rows = build.query(
        "select run_id, solidity, energy_mwh_p05, energy_mwh_p95, co2e_lifecycle_t, co2e_lifecycle_t_p95, "
        "organisations from emissions"
    )
    assert len(runs) == len(rows)
    for run_id, solidity, low, high, tonnes, tonnes_high, organisations in rows:
        run = runs[run_id]
        assert run["solidity"] == solidity
        assert run["mwh"][1:] == pytest.approx([low, high], rel=1e-3)
        assert run["t"][2] == (None if tonnes_high is None else pytest.approx(tonnes_high, rel=1e-3))
        assert run["t"][0] is None or run["t"][0] == pytest.approx(tonnes, rel=1e-3)
        assert run["of"] == (organisations.split(";") if organisations else [])


def test_the_shares_of_the_uncertainty_are_those_of_the_logarithms(release: data.Data) -> None:
    factors = {row["factor"]: row for row in release.factors["gpt-3-175b"]}
    # ln 1.01, 1.03 and 1.02, squared, are 0.99, 8.74 and 3.92 parts of 14.55. A PUE of 1.084 to 1.119 (gsd
    # 1.11 of the part above 1) is as wide as a gsd of 1.0096: 0.91.
    expected = {"chip_hours": 0.068, "watts_per_chip": 0.6, "pue": 0.062, "gross_kg_per_kwh": 0.269}
    assert {name: round(factors[name]["share"], 3) for name in expected} == expected
    assert sum(row["share"] for row in factors.values()) == pytest.approx(1)


def test_groups_of_locations_are_in_order_and_hold_each_location_once(release: data.Data) -> None:
    for groups in release.elsewhere.values():
        places = [place for group in groups for place in group]
        assert places == sorted(places)
        assert len({place.region for place in places}) == len(places)
        for one, other in pairwise(groups):
            first, last, following = one[0], one[-1], other[0]
            assert where.chance(first.t, first.ln_gsd, following.t, following.ln_gsd) >= data.SURE
            assert (
                one is other
                or last == first
                or where.chance(first.t, first.ln_gsd, last.t, last.ln_gsd) < data.SURE
            )


def test_pages_are_whole_and_strict(site: Path) -> None:
    for file in site.rglob("*.html"):
        page = Reader(file.read_text(encoding="utf-8"))
        name = file.relative_to(site).as_posix()
        assert page.tags["h1"] == page.tags["main"] == page.tags["html"] == 1, name
        assert any(value.startswith("default-src 'none'; ") for value in page.values("content")), name
        assert not page.tags["style"], name
        assert not page.values("style"), name
        assert not [found for _, found, _ in page.attributes if found.startswith("on")], name
        repeated = [value for value, times in Counter(page.values("id")).items() if times > 1]
        assert not repeated, (name, repeated)
        loaded = [
            v for tag, found, v in page.attributes if found == "src" or (tag, found) == ("link", "href")
        ]
        assert all(value.lstrip("./").startswith(("static/", "docs/")) for value in loaded), name
        assert page.tags["table"] <= page.tags["caption"] + page.tags["article"] * 99, name


def test_a_name_from_upstream_is_text_on_every_page(build: Build, tmp_path: Path) -> None:
    copy = edited(
        build,
        tmp_path,
        "update emissions set model = $evil, developer = $evil, organisations = $evil, domain = $evil",
        "update emissions set site = $evil",
        "update hardware set name = $evil, manufacturer = $evil",
        "update sources set title = $evil, producer = $evil, url = 'javascript:alert(1)'",
        "update emission_factors set source_locator = $evil, source_url = 'javascript:alert(1)'",
        "update models_without_estimate set model = $evil, reason = $evil",
        "update system_power set workload = $evil",
    )
    (copy / "CHANGES.md").write_text(EVIL, encoding="utf-8")
    building.build(copy, tmp_path / "site")
    for file in (tmp_path / "site").rglob("*.html"):
        page = Reader(file.read_text(encoding="utf-8"))
        assert not page.tags["img"], file
        assert not [found for _, found, _ in page.attributes if found == "onerror"], file
        assert not [href for href in page.values("href") if href.startswith("javascript")], file
        json_ld = re.findall(r'ld\+json">(.*?)</script>', file.read_text(encoding="utf-8"))
        assert all(json.loads(found)["@type"] == "Dataset" for found in json_ld), file
    run = json.loads((tmp_path / "site" / "runs.json").read_text(encoding="utf-8"))[0]
    assert run["model"] == EVIL
    found = re.search(r'ld\+json">(.*?)</script>', text_of(tmp_path / "site", f"run/{run['id']}.html"))
    assert found is not None
    assert json.loads(found[1])["name"].endswith(EVIL)


@pytest.mark.parametrize("bad", ["../../outside", ".hidden", "a/b", "", "x" * 250, "naïve", "a b"])
def test_an_id_that_is_no_name_of_a_page_stops_the_build(build: Build, tmp_path: Path, bad: str) -> None:
    with pytest.raises(data.BadIdentifierError, match="cannot be the name of a page"):
        data.identifier(bad)
    if bad == "../../outside":
        copy = edited(build, tmp_path, f"update sources set source_id = '{bad}' where status = 'accepted'")
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "before.html").touch()
        done = ote("site", "--warehouse", tmp_path, "--release", copy, "--no-serve")
        assert done.returncode == 1
        assert "'../../outside' cannot be the name of a page" in done.stderr
        assert [file.name for file in (tmp_path / "site").iterdir()] == ["before.html"]
        assert not list(tmp_path.glob(".site*"))


def test_names_without_ascii_and_equal_names_have_pages_of_their_own(release: data.Data) -> None:
    assert len(set(release.slugs.values())) == len(release.slugs) == len(release.organisations)
    assert data.slug("École Polytechnique (X)") == "ecole-polytechnique-x"
    assert data.slug("白泽") == ""


@pytest.mark.parametrize(
    ("link", "leads"),
    [
        ("b.html", True),
        ("b.html#part", True),
        ("#own", True),
        ("../0.1.0%2Bab/x.csv", True),
        ("https://example.org/x", True),
        ("c.html", False),
        ("b.html#other", False),
        ("#other", False),
        ("../b.html", False),
        ("/b.html", False),
        ("javascript:alert(1)", False),
        ("//example.org/b.html", False),
        ("../0.1.0%2Bab/y.csv", False),
    ],
)
def test_a_link_that_leads_nowhere_stops_the_build(link: str, leads: bool) -> None:
    texts = {"a.html": f'<p id="own"><a href="{link}">x</a>', "b.html": '<p id="part">'}
    files = {"../0.1.0+ab/x.csv"}
    if leads:
        building.check_links(texts, files)
    else:
        with pytest.raises(building.DeadLinkError, match=re.escape(f"a.html: {link}")):
            building.check_links(texts, files)


def test_links_of_guides_lead_to_pages_or_become_text() -> None:
    html = guides.rendered("[a](x.md) [b](https://e.org) <b>c</b>", lambda href: href if "//" in href else "")
    assert html == '<p><a>a</a> <a href="https://e.org">b</a> &lt;b&gt;c&lt;/b&gt;</p>\n'


def test_the_first_page_stays_small_with_5000_runs(release: data.Data, site: Path) -> None:
    runs = [*release.runs.values()]
    many = data.Data(release.folder, release.connection)
    known: dict[str, Any] = {}
    for number in range(RUNS):
        run = runs[number % len(runs)]
        known[f"{run['run_id'][:150]}-{number}"] = {k: v for k, v in run.items() if k != "listed"} | {
            "run_id": f"{run['run_id'][:150]}-{number}",
            "organisations": [f"{run['developer']} {number // 7}"],
            "energy_mwh": run["energy_mwh"] * (1 + number / RUNS),
        }
    many.__dict__["runs"] = known
    page = pages.first(many)
    environment = building._environment(many)
    environment.globals["guides"] = []
    text = environment.get_template(page.template).render(
        page.context | {"title": page.title, "about": page.about, "here": page.path}
    )
    others = [(site / "static" / name).read_bytes() for name in ("style.css", "site.js", "icon.svg")]
    size = sum(len(gzip.compress(content)) for content in [text.encode(), *others])
    assert text.count("<tr>") == pages.IN_HTML + 1
    assert size < INDEX_BYTES


def test_the_pages_are_written_only_when_needed(build: Build, tmp_path: Path) -> None:
    assert building.build(build.release, tmp_path / "site") > 3_000
    assert building.is_current(build.release, tmp_path / "site")
    before = (tmp_path / "site" / "index.html").stat().st_ino
    done = ote("site", "--warehouse", tmp_path, "--release", build.release, "--no-serve")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "index.html").stat().st_ino == before


def test_the_page_of_a_merged_run_leads_to_the_other(site: Path) -> None:
    page = text_of(site, "run/flan-t5-xxl-blip-2.html")
    assert '<meta http-equiv="refresh" content="0; url=blip-2.html">' in page
    assert 'href="../run/blip-2.html"' in page
    shared = text_of(site, "run/gpt-4-jun-2023.html")
    assert "shares its training with" in shared
    assert 'href="../run/gpt-4-mar-2023.html"' in shared


def test_the_same_release_gives_the_same_bytes(build: Build, site: Path, tmp_path: Path) -> None:
    building.build(build.release, tmp_path / "site")
    for file in (tmp_path / "site").rglob("*"):
        if file.is_file():
            assert file.read_bytes() == (site / file.relative_to(tmp_path / "site")).read_bytes(), file


@contextmanager
def served(site: Path, release: Path) -> Iterator[ThreadingHTTPServer]:
    """A site that is served in a thread."""
    with serving.server(site, release, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


@pytest.fixture(scope="module")
def port(build: Build, site: Path) -> Iterator[int]:
    with served(site, build.release) as server:
        yield server.server_port


def asked(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_only_the_site_and_its_release_are_served(build: Build, port: int) -> None:
    name = build.release.name.replace("+", "%2B")
    assert asked(port, "/site/index.html")[0] == 200
    assert asked(port, f"/{name}/manifest.json") == (200, (build.release / "manifest.json").read_bytes())
    assert asked(port, "/")[0] == 302
    for path in (
        *("/site/run/", "/site/../emissions.duckdb", "/site/%2e%2e/emissions.duckdb", "/emissions.duckdb"),
        *("/site/..%2f..%2fetc/passwd", f"/{name}/", "/nowhere/x", "//etc/passwd"),
    ):
        assert asked(port, path)[0] == 404, path
    assert asked(port, "/site/index.html", Host="evil.test:80")[0] == 404


def test_an_unknown_address_leads_back(build: Build, port: int) -> None:
    for path in ("/site/run/nobody.html", "/site/nowhere.html", "/nowhere/x"):
        status, body = asked(port, path)
        page = body.decode()
        assert status == 404
        assert "There is no page at this address." in page
        assert 'href="/site/static/style.css"' in page
        links = re.findall(r'href="(/site/[^"#]+)', page)
        assert all(asked(port, link)[0] == 200 for link in {*links}), path
    assert b"<main" not in asked(port, "/site/nowhere.html", Host="evil.test:80")[1]


def test_a_source_without_runs_says_what_it_is_cited_for(site: Path) -> None:
    page = text_of(site, "source/arxiv-org-abs-1809-08826.html")
    assert "No estimate of a training run depends on this source." in page
    assert ">model_sizes</th>" in page
    assert 'href="../run/' in page.split('id="cited-for"')[1]
    for file in site.glob("source/*.html"):
        assert ">0 training runs" not in file.read_text(encoding="utf-8"), file.name


def test_a_page_promises_runs_only_where_it_lists_some(site: Path) -> None:
    for file in (*site.glob("location/*.html"), *site.glob("hardware/*.html")):
        page = file.read_text(encoding="utf-8")
        lead = page.split('<p class="lead">')[1].split("</p>")[0]
        assert ("training run" in lead) <= ('class="runs"' in page), file.name
        assert "and 0 training" not in lead


def test_bad_input_of_ote_site_is_said(build: Build, site: Path, tmp_path: Path, port: int) -> None:
    done = ote("site", "--warehouse", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"ote build --warehouse {tmp_path}" in done.stderr
    done = ote("site", "--warehouse", build.directory, "--port", str(port))
    assert done.returncode == 2
    assert f"--port {port}: " in done.stderr
    (tmp_path / "release").mkdir()
    done = ote("site", "--warehouse", tmp_path, "--release", tmp_path / "release")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_pages_lie_next_to_the_releases_and_old_ones_go(build: Build, site: Path, tmp_path: Path) -> None:
    target = tmp_path / "to"
    publishing.publish(build.release, str(target))
    (target / "site" / "run").mkdir(parents=True)
    (target / "site" / "run" / "gone.html").write_text("an older page")
    done = ote("site", "--warehouse", build.directory, "--release", build.release, "--put", target)
    assert done.returncode == 0, done.stderr
    put = {file.relative_to(target / "site") for file in (target / "site").rglob("*") if file.is_file()}
    assert put == {file.relative_to(site) for file in site.rglob("*") if file.is_file()}
    for link in re.findall(r'href="(\.\./[^"]+)"', text_of(target / "site", "download.html")):
        assert (target / "site" / link.replace("%2B", "+")).exists(), link
    with pytest.raises(publishing.NotPublishedError, match="nothing can be put at http"):
        publishing.put_site(site, "http://127.0.0.1:1/x")


def test_the_download_page_has_each_file_with_its_checksum(build: Build, site: Path) -> None:
    words = words_of(text_of(site, "download.html"))
    for name, checksum in reading.checksums(build.release).items():
        assert name in words
        assert checksum in words


def test_the_download_page_begins_with_the_three_ways_and_a_citation(build: Build, site: Path) -> None:
    page = text_of(site, "download.html")
    take = page.split('id="take"')[1].split("</section>")[0]
    links = [link.partition("/")[2] for link in re.findall(r'href="(?:\.\./)?([^"]+)"', take)]
    assert links[:2] == ["csv/emissions.csv", "open-training-emissions.duckdb"]
    assert 'href="download.html#parquet"' in take
    assert page.index('id="take"') < page.index('id="cite"') < page.index('id="files"')
    cited = words_of(page.split('id="cite"')[1].split("<pre")[0])
    assert f"Open Training Emissions, version {build.release.name}, released 20" in cited
    assert cited.strip().endswith("[Data set]. CC-BY-4.0."), "checksums are further down"
    files = words_of(page.split('id="files"')[1].split("<details")[0])
    assert f"Commit {reading.manifest(build.release)['commit']}; " in files
    for part in (page.split('id="files"')[1].split("</section>")[0], page.split('id="dictionary"')[1]):
        assert part.count("<table") == part.count("<details") > 1
        assert not re.search(r"<details[^>]* open", part)


def test_axes_hold_their_values() -> None:
    scale, ticks = charts.log_axis([3e-3, 40.0], str)
    assert [tick.label for tick in ticks] == ["0.001", "0.01", "0.1", "1", "10", "100"]
    assert (scale(1e-3), scale(100.0), scale(1e9)) == (charts.BOTTOM, charts.TOP, charts.TOP)
    scale, ticks = charts.tight([6.0, 23_000.0], str)
    assert [tick.label for tick in ticks][:2] == ["10", "30"]
    assert charts.TOP < scale(23_000.0) < scale(10_000.0) < scale(6.0) < charts.BOTTOM
    assert scale(6.0) - scale(23_000.0) > 0.95 * (charts.BOTTOM - charts.TOP), "no empty powers of ten"
    eight = charts.log_axis([2e-3, 5e3], lambda value: f"{value:g}")[1]  # powers of ten: more than seven
    assert [tick.label for tick in eight] == ["0.001", "0.1", "10", "1000"]
    scale, ticks = charts.zero_axis([0.97], lambda value: f"{value:.2f}")
    assert [tick.label for tick in ticks] == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    assert scale(0.5) == pytest.approx((charts.BOTTOM + charts.TOP) / 2)
    scale, ticks = charts.year_axis([2019, 2025])
    assert (ticks[0].label, ticks[-1].label, scale(2025)) == ("2019", "2025", charts.RIGHT)
    assert charts.year_axis([2020])[1][-1].label == "2021"


def test_a_column_of_a_run_that_no_field_names_gets_a_field(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(json.loads(questions.method())["columns"]) == set(estimating.COLUMNS)
    monkeypatch.setitem(estimating.COLUMNS, "idle_fraction", ("--idle-share", "share of idle hours: 0 to 1"))
    assert json.loads(questions.method())["columns"]["idle_fraction"] == "Idle share"
