"""The pages in a browser: on phones and desktops, by keyboard, without JavaScript, and for everyone (axe)."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ote.answers import search
from ote.site import building, serving
from tests.browser import CHROMIUM, Page, browser
from tests.conftest import Build
from tests.test_site import EVIL, edited, served

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium (as .ci/run does)"
)
pytestmark = needs_chromium
AXE = gzip.decompress((Path(__file__).parent / "axe" / "axe.min.js.gz").read_bytes()).decode()
CHECK = "axe.run().then((found) => found.violations.map((v) => v.id + ': ' + v.nodes[0].html.slice(0, 200)))"
OPEN = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"  # axe skips closed ones
CUT = (
    "[...document.querySelectorAll('.scroll')]"
    ".filter((box) => box.checkVisibility() && box.scrollWidth > box.clientWidth)"
    ".map((box) => box.ariaLabel)"
)
WIDTHS = (375, 1024, 1600)
PHONE_PX = 10_000  # the tallest page of a phone, before anything is opened
TEMPLATES = (
    *(
        "index.html",
        "run/gpt-3-175b.html",
        "organisations.html",
        "organisation/google.html",
        "accelerators.html",
    ),
    *(
        "hardware/nvidia-h100-sxm5-80gb.html",
        "locations.html",
        "location/us-central1.html",
        "location/FR.html",
    ),
    *(
        "sources.html",
        "source/arxiv-org-abs-2104-10350.html",
        "accuracy.html",
        "disclosure.html",
        "paper.html",
    ),
    *("totals.html", "trends.html", "quality.html", "left-out.html", "rates.html"),
    *("query.html", "your-run.html"),
    *("download.html", "without-estimate.html", "docs/index.html", "docs/glossary.html", "groups/2020.html"),
)
SHOWN = "[...document.querySelectorAll('#all-runs tbody tr')]"
READY = "document.querySelector('#organisations').options.length > 100"


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser() as tab:
        yield tab


@pytest.fixture(scope="module")
def address(build: Build) -> Iterator[str]:
    with served(build.directory / building.FOLDER, build.release) as server:
        yield serving.address(server).removesuffix("index.html")


def set_field(page: Page, name: str, value: str) -> None:
    """Fill a field of the filters as a person does, and wait for the rows."""
    page.value(
        f"(() => {{ const field = document.getElementById('filters').elements['{name}'];"
        f" field.focus(); field.value = {json.dumps(value)};"
        " field.dispatchEvent(new Event('input', { bubbles: true })); })()"
    )
    given = f"(new URLSearchParams(location.search).get('{name}') ?? '') === {json.dumps(value)}"
    page.until(f"{READY} && {given}")


@pytest.mark.parametrize("name", TEMPLATES)
def test_each_template_fits_every_screen_and_has_no_barrier(page: Page, address: str, name: str) -> None:
    for width in WIDTHS:
        page.open(address + name, width)
        assert page.value("document.documentElement.scrollWidth") <= width
        assert page.errors == []
        assert all(asked.startswith(address) for asked in page.asked)
        small = (  # a name that is crowded out has no width
            "[...document.querySelectorAll('svg text')].map((text) => text.getBoundingClientRect())"
            ".every((box) => !box.width || box.height >= 12)"
        )
        assert page.value(small)
        if width == WIDTHS[0]:
            tall = page.value("document.documentElement.scrollHeight")
            assert tall <= PHONE_PX or name.startswith("docs/"), "a guide is one text"
            page.value(OPEN)
            assert page.value("document.documentElement.scrollWidth") <= width
            page.value(AXE)
            assert page.value(CHECK) == []
        assert page.value(CUT) == [] or name.startswith("docs/"), "what scrolls in a guide has a shadow"
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert page.value("getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 26)"
    page.value(OPEN)
    page.value(AXE)
    assert page.value(CHECK) == []
    page.call("Emulation.setEmulatedMedia", features=[])


@pytest.mark.parametrize("name", TEMPLATES)
def test_without_javascript_no_page_is_empty(page: Page, address: str, name: str) -> None:
    page.open(address + name, scripts=False)
    text = page.call("DOM.getDocument", depth=1) and page.call(
        "DOM.getOuterHTML", nodeId=page.call("DOM.querySelector", nodeId=1, selector="main")["nodeId"]
    )
    assert len(text["outerHTML"]) > 1_500
    page.call("Emulation.setScriptExecutionDisabled", value=False)


def test_search_filters_and_sort_have_an_address(page: Page, address: str, build: Build) -> None:
    page.open(f"{address}index.html")
    assert page.value(f"{SHOWN}.length") == 300
    assert not any("runs.json" in asked for asked in page.asked)
    set_field(page, "q", "gpt-3")
    assert page.value(f"{SHOWN}.some((row) => row.cells[0].querySelector('a').textContent === 'GPT-3')")
    set_field(page, "q", "")
    set_field(page, "solidity", "measured")
    (measured,) = build.query("select count(*) from emissions where solidity = 'measured'")[0]
    assert page.value(f"{SHOWN}.length") == measured
    set_field(page, "organisation", "Google")
    names_left = "[...document.querySelectorAll('#over-time .name:not([hidden])')].map((n) => n.textContent)"
    assert "GPT-3" not in page.value(names_left)
    set_field(page, "sort", "tonnes")
    names = page.value(f"{SHOWN}.map((row) => row.cells[0].querySelector('a').textContent)")
    expected = build.query(
        "select model from emissions where solidity = 'measured' "
        "and list_contains(string_split(organisations, ';'), 'Google') order by co2e_lifecycle_t desc"
    )
    assert names == [name for (name,) in expected]
    there = page.value("location.href")
    page.open(there)
    page.until(READY)
    page.until(f"{SHOWN}.length === {len(names)}")
    assert page.value(f"{SHOWN}.map((row) => row.cells[0].querySelector('a').textContent)") == names
    assert page.errors == []


def test_filters_give_the_rows_of_the_table(page: Page, address: str, build: Build) -> None:
    for name, value, condition in (
        ("country", "FR", "list_contains(string_split(developer_country, ';'), 'FR') or site_country = 'FR'"),
        ("year", "2021", "year(published_date) = 2021"),
        ("hardware", "google-tpu-v4", "hardware_id = 'google-tpu-v4'"),
        ("domain", "speech", "list_contains(string_split(domain, ','), 'speech')"),
    ):
        page.open(f"{address}index.html?{name}={value}")
        page.until(READY)
        page.until("location.search && document.getElementById('count').textContent.includes('come last.')")
        (number,) = build.query(f"select count(*) from emissions where {condition}")[0]
        assert page.value("document.getElementById('count').textContent").startswith(f"{number:,} of "), name


def test_the_count_of_disclosed_runs_leads_to_the_largest_of_them(
    page: Page, address: str, build: Build
) -> None:
    page.open(f"{address}index.html", 375)
    link = page.value("document.querySelector('.numbers a[href*=disclosed]').getAttribute('href')")
    assert "?solidity=disclosed" in link
    page.open(f"{address}{link}", 375)
    page.until(READY)
    page.until(f"{SHOWN}.every((row) => row.lastElementChild.textContent === 'disclosed')")
    names = page.value(f"{SHOWN}.slice(0, 5).map((row) => row.cells[0].querySelector('a').textContent)")
    assert names == [
        name
        for (name,) in build.query(
            "select model from emissions where solidity = 'disclosed' and covers not like '%bound' "
            "order by energy_mwh desc limit 5"
        )
    ]
    page.until("Math.abs(document.getElementById('runs').getBoundingClientRect().top) < 200")


def test_a_guess_is_never_ranked_first(page: Page, address: str) -> None:
    for order in ("", "tonnes", "new", "sure", "name"):
        page.open(f"{address}index.html?q=grok&sort={order}")
        page.until(READY)
        page.until(f"{SHOWN}.length < 300")
        solid = page.value(f"{SHOWN}.map((row) => row.lastElementChild.textContent === 'guessed')")
        assert True in solid
        assert solid == sorted(solid)


def test_more_rows_come_under_those_that_are_there_and_have_an_address(page: Page, address: str) -> None:
    page.open(f"{address}index.html")
    assert page.value("document.getElementById('more').textContent") == "Show 300 more"
    page.value(
        "window.first = document.querySelector('#all-runs tbody tr'); document.getElementById('more').focus()"
    )
    top = (
        "Math.round(document.querySelector('#all-runs tbody tr:nth-child(300)').getBoundingClientRect().top)"
    )
    before = page.value(top)
    page.press("Enter")
    page.until(f"{SHOWN}.length === 600")
    assert page.value(top) == before, "nothing moved"
    assert page.value("window.first === document.querySelector('#all-runs tbody tr')")
    assert page.value("document.activeElement.id") == "more"
    assert page.value("location.search") == "?rows=600"
    page.open(f"{address}index.html?rows=600")
    page.until(f"{SHOWN}.length === 600")
    page.value("[...Array(4)].forEach(() => document.getElementById('more').click())")
    page.until("document.getElementById('more').hidden")
    assert page.value(f"{SHOWN}.length") > 1_200


def test_search_gives_the_very_name_first_and_only_what_ote_find_gives(
    page: Page, address: str, build: Build
) -> None:
    page.open(f"{address}index.html")
    for typed, first in (
        ("gpt 3", "gpt-3-175b"),
        ("grok 4", "grok-4"),
        ("llama 3.1", "llama-3.1-405b"),
        ("palm", "palm-540b"),
        ("gpt 4", "gpt-4-mar-2023"),
    ):
        set_field(page, "q", typed)
        ids = page.value(f"{SHOWN}.map((row) => row.querySelector('a').getAttribute('href').slice(4, -5))")
        assert ids[0] == first
        with duckdb.connect(str(build.directory / "emissions.duckdb"), read_only=True) as connection:
            found = search.search(connection, search.Wanted(words=typed.split()))
        assert {*ids} <= {run["run_id"] for run in found}


def test_the_nearest_mark_answers_to_the_pointer_and_solid_marks_are_on_top(page: Page, address: str) -> None:
    page.open(f"{address}index.html")
    order = page.value(
        "[...document.querySelectorAll('#over-time .marks > a')].map((a) => a.className.baseVal)"
    )
    assert order == sorted(order, key=["guessed", "inferred", "disclosed", "measured"].index)
    box = page.value(
        "(({x, y}) => [x, y])(document.querySelector('#over-time [href*=gpt-3-175b] rect')"
        ".getBoundingClientRect())"
    )
    page.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] - 5, y=box[1] + 4)
    assert page.value("document.querySelector('#over-time .tip').textContent").startswith("GPT-3: 1.29")
    for button in ("mousePressed", "mouseReleased"):
        page.call(
            "Input.dispatchMouseEvent", type=button, x=box[0] - 5, y=box[1] + 4, button="left", clickCount=1
        )
    page.until("location.pathname.endsWith('/run/gpt-3-175b.html')")


@pytest.mark.parametrize("name", ["index.html", "run/gpt-3-175b.html", "accuracy.html", "download.html"])
def test_on_paper_text_is_dark_and_nothing_is_cut(page: Page, address: str, name: str) -> None:
    page.open(address + name, 718)  # A4 without the margins of Chromium
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    page.call("Emulation.setEmulatedMedia", media="print", features=features)
    colour = page.value("getComputedStyle(document.body).color")
    width, cut = page.value("document.documentElement.scrollWidth"), page.value(CUT)
    controls = "[...document.querySelectorAll('nav, form, input, select, .tip, button:not(.sort)')]"
    seen = page.value(f"{controls}.filter((one) => one.checkVisibility()).map((one) => one.outerHTML)")
    heads = "[...document.querySelectorAll('section > .scroll .sort')]"
    hidden = page.value(f"{heads}.filter((one) => !one.checkVisibility()).length")
    page.call("Emulation.setEmulatedMedia", media="", features=[])
    assert (colour, cut, seen, hidden) == ("rgb(27, 31, 36)", [], [], 0)
    assert width <= 718


def test_the_csv_is_what_is_shown(page: Page, address: str) -> None:
    page.open(f"{address}index.html?organisation=xAI")
    page.until(READY)
    page.until(f"{SHOWN}.length < 300")
    rows = page.value(f"{SHOWN}.length")
    page.value("URL.createObjectURL = (blob) => { window.made = blob.text(); return '#'; }, 1")
    page.value("document.getElementById('filters').elements.csv.click()")
    page.until("window.made")
    header, *lines = page.value("window.made").strip().split("\r\n")
    assert header.startswith('"run_id","model","organisations"')
    assert len(lines) == rows
    guess = next(line for line in lines if '"grok-4"' in line)
    assert '"guessed","",' in guess


def test_the_chart_is_walked_by_keyboard(page: Page, address: str) -> None:
    page.open(f"{address}index.html")
    assert page.value("document.querySelectorAll('#over-time a[tabindex=\"0\"]').length") == 1
    page.value("document.querySelector('#over-time a[tabindex=\"0\"]').focus()")
    first = page.value("document.querySelector('#over-time .tip').textContent")
    page.press("ArrowRight")
    second = page.value("document.querySelector('#over-time .tip').textContent")
    assert first != second
    assert "Wh" in second
    target = page.value("document.activeElement.href.baseVal")
    page.press("Enter")
    page.until(f"location.pathname.endsWith({json.dumps('/' + target)})")


def test_all_runs_are_in_the_chart_once_loaded(page: Page, address: str, build: Build) -> None:
    page.open(f"{address}index.html")
    page.value("document.getElementById('more').click()")
    page.until(READY)
    page.until(f"{SHOWN}.length > 300")
    (drawn,) = build.query("select count(*) from emissions where published_date is not null")[0]
    assert page.value("document.querySelectorAll('#over-time .marks a').length") == drawn


def test_the_legend_counts_the_runs_that_are_left(page: Page, address: str, build: Build) -> None:
    below = "published_date is not null and if(solidity = 'guessed', energy_mwh_p95, energy_mwh) < 1e-6"
    ((count, year),) = build.query(
        f"select count(*), year(published_date) from emissions where {below} group by 2 order by 2 limit 1"
    )
    ((others,),) = build.query(
        "select min(year(published_date)) from emissions where year(published_date) not in "
        f"(select year(published_date) from emissions where {below})"
    )
    kinds = {
        kind
        for (kind,) in build.query(
            f"select distinct solidity from emissions where year(published_date) = {others}"
        )
    }
    page.open(f"{address}index.html?year={year}")
    page.until(READY)
    shown = (
        "[...document.querySelectorAll('#over-time .legend .solid')]"
        ".filter((one) => getComputedStyle(one).visibility === 'visible').map((one) => one.textContent)"
    )
    page.until(f"{shown}.some((text) => text.includes('({count} run'))")
    page.open(f"{address}index.html?year={others}")
    page.until(READY)
    page.until(f"{shown}.length < 5")
    assert {*page.value(shown)} == kinds


TEXTS = """
[...document.querySelectorAll('.chart > svg')].flatMap((svg) => {
  const texts = [...svg.querySelectorAll('text')].filter((text) => text.getBoundingClientRect().width);
  const boxes = texts.map((text) => [text.textContent, text.getBoundingClientRect()]);
  return boxes.flatMap(([one, a], place) => boxes.slice(place + 1).filter(([, b]) =>
    a.left < b.right - 2 && b.left < a.right - 2 && a.top < b.bottom - 4 && b.top < a.bottom - 4
  ).map(([other]) => `${one} / ${other}`));
})
"""


@pytest.mark.parametrize(
    "name",
    [
        f"{name}.html"
        for name in ["index", "accuracy", "quality", "disclosure", "accelerators", "totals", "trends"]
    ],
)
def test_no_label_of_a_chart_covers_another(page: Page, address: str, name: str) -> None:
    for width in WIDTHS:
        page.open(address + name, width)
        assert page.value(TEXTS) == [], width


def test_a_phone_shows_factors_with_their_sources_and_one_line_of_menu(page: Page, address: str) -> None:
    page.open(f"{address}run/gpt-3-175b.html", 375)
    assert page.value("document.querySelector('header').getBoundingClientRect().height") < 90
    source = (
        "[...document.querySelectorAll('.stacked td:last-child a')].map((a) => a.getBoundingClientRect())"
    )
    assert page.value(f"{source}.length") >= 5
    assert page.value(f"{source}.every((box) => box.width > 0 && box.left >= 0 && box.right <= 375)")


def test_lists_are_sorted_by_a_click_on_a_header(page: Page, address: str) -> None:
    """Numbers down, then up; what is empty stays last; the address keeps the order."""
    page.open(f"{address}accelerators.html", 375)
    table = "document.getElementById('accelerators')"
    head = f"[...{table}.tHead.rows[0].cells].find((th) => th.textContent === 'In training, W')"
    cells = f"[...{table}.tBodies[0].rows].map((row) => row.cells[2].textContent)"
    for direction in ("descending", "ascending"):
        assert page.value(f"{head}.querySelector('button').getBoundingClientRect().height") > 12
        page.value(f"{head}.querySelector('button').click()")
        assert page.value(f"{head}.getAttribute('aria-sort')") == direction
        shown = page.value(cells)
        known = [float(text.replace(",", "")) for text in shown if text]
        assert known == sorted(known, reverse=direction == "descending")
        assert shown[: len(known)] == [text for text in shown if text]
        assert "" in shown
    assert page.value("location.search") == "?sort-accelerators=3"
    page.open(f"{address}accelerators.html?sort-accelerators=3", 375)
    assert page.value(cells) == shown


def test_a_phone_shows_three_numbers_of_a_region_without_scrolling(page: Page, address: str) -> None:
    page.open(f"{address}locations.html", 375)
    cells = (
        "[...document.querySelector('#lifecycle').parentElement.querySelectorAll('tbody tr')]"
        ".slice(0, 25).map((row) => [...row.cells].map((cell) => cell.getBoundingClientRect())"
        ".filter((box) => box.width && box.right <= 375).length)"
    )
    assert set(page.value(cells)) == {4}


def test_the_menu_of_a_phone_opens_and_leads_on(page: Page, address: str) -> None:
    page.open(f"{address}run/gpt-3-175b.html", 375)
    menu = "document.querySelector('.menu')"
    assert page.value(f"{menu}.querySelector('summary').textContent") == "Menu: Runs"
    links = f"[...{menu}.querySelectorAll('a')].filter((a) => a.checkVisibility())"
    assert page.value(f"{links}.length") == 0
    page.value(f"{menu}.querySelector('summary').click()")
    assert page.value(f"{links}.map((a) => a.textContent).includes('Locations')")


def test_a_long_table_is_searched(page: Page, address: str) -> None:
    page.open(f"{address}sources.html")
    page.value(
        "(() => { const f = document.querySelector('[data-rows]'); f.value = 'patterson google';"
        " f.dispatchEvent(new Event('input')); })()"
    )
    shown = "[...document.querySelectorAll('#sources tbody tr')].filter((row) => !row.hidden)"
    assert 1 <= page.value(f"{shown}.length") < 20


def test_a_phone_shows_all_rows_of_a_table_once_it_is_asked_to(page: Page, address: str) -> None:
    shown = "[...document.querySelectorAll('tbody tr')].filter((row) => row.checkVisibility()).length"
    rows = "document.querySelectorAll('tbody tr').length"
    for name, few in (("index.html", 25), ("organisations.html", 10), ("without-estimate.html", 10)):
        page.open(address + name, 375)
        assert page.value(shown) == few < page.value(rows)
        page.value("document.querySelector('.rest-of-rows > summary').click()")
        assert page.value(f"{shown} === {rows}")
        page.open(address + name)
        assert page.value(f"{shown} === {rows}"), "a desktop shows them at once"
    page.open(f"{address}sources.html", 375)
    page.value(
        "(() => { const f = document.querySelector('[data-rows]'); f.value = 'mlperf';"
        " f.dispatchEvent(new Event('input')); })()"
    )
    found = page.value("Number.parseInt(document.querySelector('.search [role=status]').textContent)")
    assert page.value(shown) == found > 25


def test_a_phone_gets_a_short_download_page_and_finds_a_column(page: Page, address: str) -> None:
    page.open(f"{address}download.html", 375)
    assert page.value("document.documentElement.scrollHeight") < 8_000
    page.value(
        "(() => { const f = document.querySelector('[data-rows=dictionary-rows]');"
        " f.value = 'sci_kg_per_exaflop_p95'; f.dispatchEvent(new Event('input')); })()"
    )
    opened = "[...document.querySelectorAll('#dictionary-rows details[open]')]"
    assert page.value(f"{opened}.map((fold) => fold.id)") == ["table-rates"]
    rows = f"{opened}[0].querySelectorAll('tbody tr:not([hidden])')"
    assert page.value(f"{rows}.length") == 1
    assert page.value(f"{rows}[0].getBoundingClientRect().height") > 0


def touch(page: Page, selector: str) -> None:
    """Tap the middle of an element with a finger."""
    box = page.value(
        f"(() => {{ const one = document.querySelector({json.dumps(selector)});"
        " one.scrollIntoView({ block: 'center' });"
        " const { x, y, width, height } = one.getBoundingClientRect();"
        " return [x + width / 2, y + height / 2]; })()"
    )
    point = [{"x": box[0], "y": box[1]}]
    page.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=point)
    page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])


def test_a_tap_on_a_name_in_the_chart_shows_that_run_and_a_second_opens_it(page: Page, address: str) -> None:
    page.call("Emulation.setTouchEmulationEnabled", enabled=True)
    try:
        for part in ("text", "circle"):
            page.open(f"{address}index.html", 375)
            for run_id, name in (("bloom-176b", "BLOOM-176B"), ("gpt-3-175b", "GPT-3")):
                touch(page, f"#over-time .name[data-run='{run_id}'] {part}")
                link = "document.querySelector('#over-time .tip a')"
                page.until(f"{link}?.textContent.startsWith('{name}: ')")
                assert page.value(f"{link}.getAttribute('href')") == f"run/{run_id}.html"
                assert page.value("location.pathname.endsWith('/index.html')")
            touch(page, f"#over-time .name[data-run='gpt-3-175b'] {part}")
            page.until("location.pathname.endsWith('/run/gpt-3-175b.html')")
    finally:
        page.call("Emulation.setTouchEmulationEnabled", enabled=False)


def test_a_click_on_a_name_in_the_chart_opens_that_run(page: Page, address: str) -> None:
    page.open(f"{address}index.html")
    x, y = page.value(
        "(({ x, y, width, height }) => [x + width / 2, y + height / 2])"
        "(document.querySelector('.name[data-run=gpt-3-175b] text').getBoundingClientRect())"
    )
    for button in ("mousePressed", "mouseReleased"):
        page.call("Input.dispatchMouseEvent", type=button, x=x, y=y, button="left", clickCount=1)
    page.until("location.pathname.endsWith('/run/gpt-3-175b.html')")


def test_the_keyboard_begins_at_the_largest_run(page: Page, address: str, build: Build) -> None:
    page.open(f"{address}index.html")
    ((run_id,),) = build.query(
        "select run_id from emissions where solidity <> 'guessed' and published_date is not null "
        "order by energy_mwh desc limit 1"
    )
    first = "document.querySelector('#over-time a[tabindex=\"0\"]')"
    assert page.value(f"{first}.href.baseVal") == f"run/{run_id}.html"
    page.value(f"{first}.focus()")
    assert "Arrow keys move" in page.value("document.querySelector('#over-time .tip').textContent")


def test_the_first_stop_of_a_chart_is_a_run(page: Page, address: str) -> None:
    page.open(f"{address}index.html")
    page.value("document.querySelector('.links a:last-child').focus()")
    page.press("Tab")
    assert page.value("document.activeElement.matches('#over-time .marks a[tabindex=\"0\"]')")


def test_an_organisation_is_found_by_a_part_of_its_name(page: Page, address: str, build: Build) -> None:
    page.open(f"{address}index.html")
    set_field(page, "organisation", "goo")
    (number,) = build.query("select count(*) from emissions where lower(organisations) like '%goo%'")[0]
    page.until(f"document.getElementById('count').textContent.startsWith('{number} of ')")
    set_field(page, "organisation", "no such name")
    page.until("document.getElementById('count').textContent.startsWith('Nothing found')")
    page.value("document.getElementById('again').click()")
    page.until(f"{SHOWN}.length === 300")
    assert page.value("document.getElementById('again').hidden")


def test_a_phone_shows_the_search_alone_and_its_filters_in_a_fold(page: Page, address: str) -> None:
    fields = (
        "[...document.querySelectorAll('#filters :is(input, select)')].filter((f) => f.checkVisibility())"
    )
    page.open(f"{address}index.html", 375)
    assert page.value(f"{fields}.map((field) => field.name)") == ["q"]
    page.open(f"{address}index.html?year=2021", 375)
    assert page.value(f"{fields}.length") == 8
    page.open(f"{address}index.html")
    assert page.value(f"{fields}.length") == 8


def test_a_picture_of_letters_keeps_its_lines_and_the_glossary_is_stacked(page: Page, address: str) -> None:
    page.open(f"{address}docs/architecture.html", 375)
    picture = "document.querySelector('pre:has(> code:not([class]))')"
    assert page.value(f"getComputedStyle({picture}).whiteSpace") == "pre"
    assert page.value(f"{picture}.scrollWidth > {picture}.clientWidth && {picture}.tabIndex === 0")
    page.open(f"{address}docs/glossary.html", 375)
    assert page.value(
        "(([word, meaning]) => meaning.top >= word.bottom && meaning.left === word.left)"
        "([...document.querySelector('tbody tr').cells].map((cell) => cell.getBoundingClientRect()))"
    )


def test_labels_of_years_stay_inside_their_chart_and_a_comma_at_its_link(page: Page, address: str) -> None:
    for name in ("totals.html", "location/FR.html", "disclosure.html"):
        page.open(f"{address}{name}", 375)
        assert page.value(
            "[...document.querySelectorAll('.chart text.x')].every((label) =>"
            " label.getBoundingClientRect().right <= label.closest('.chart').getBoundingClientRect().right)"
        ), name
    page.open(f"{address}locations.html", 375)
    assert page.value(
        "[...document.querySelectorAll('.facts .item')].every((item) =>"
        " getComputedStyle(item.querySelector('a')).display === 'inline')"
    )


def test_a_link_to_a_fold_opens_it(page: Page, address: str) -> None:
    page.open(f"{address}download.html")
    assert page.value("document.getElementById('parquet').open") is False
    page.value('document.querySelector(\'#take ~ div a[href$="#parquet"], a[href$="#parquet"]\').click()')
    page.until("document.getElementById('parquet').open")


def test_a_fold_that_is_opened_is_in_the_address(page: Page, address: str) -> None:
    page.open(f"{address}totals.html")
    assert page.value("location.hash") == ""
    page.value("document.querySelector('#organisation > summary').click()")
    assert page.value("location.hash") == "#organisation"
    page.value("document.querySelector('#organisation > summary').click()")
    assert page.value("location.hash") == ""


@pytest.mark.parametrize(
    ("there", "says"),
    [("your-run.html?chips=8", "Press Estimate."), ("query.html?sql=select+1", "Press Run.")],
)
def test_an_address_with_a_question_says_what_to_press(
    page: Page, address: str, there: str, says: str
) -> None:
    page.open(address + there)
    shown = page.value("document.getElementById('status')?.textContent ?? ''")
    assert says in shown or not page.value("!!document.querySelector('form')"), "without the engine, no form"


def test_no_script_in_a_name_runs(page: Page, build: Build, tmp_path: Path) -> None:
    copy = edited(
        build, tmp_path, "update emissions set model = $evil, organisations = $evil, domain = $evil"
    )
    building.build(copy, tmp_path / "site")
    with served(tmp_path / "site", copy) as server:
        first = serving.address(server)
        page.open(first)
        page.value("window.alert = () => { window.attacked = true; }, 1")
        page.value("document.getElementById('more').click()")
        page.until(f"{SHOWN}.length > 300")
        assert page.value(f"{SHOWN}[0].cells[0].querySelector('a').textContent") == EVIL
        assert page.value("document.querySelectorAll('img').length") == 0
        page.open(first.replace("index.html", "run/gpt-3-175b.html"))
        assert page.value("document.querySelector('h1').textContent") == EVIL
        assert (
            page.value("Boolean(window.attacked) || document.querySelectorAll('main img').length > 0")
            is False
        )
        assert page.errors == []
