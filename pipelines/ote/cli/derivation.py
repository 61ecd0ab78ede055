"""`ote why` as a person reads it: a sentence, three results and five factors, or the whole derivation.

Belongs here: words and layout. Does not belong here: the numbers (why.py), or options and exit codes
(answers.py).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ote import catalog
from ote.answers import inputs, words
from ote.answers.published import width
from ote.answers.quantities import count, counted, energy, energy_span, is_guess, mass, mass_span
from ote.answers.why import Tree, hides, short
from ote.cli import terminal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.tree import Tree as Branch

SHOWN_FIGURES = 3  # of those that others published
SHOWN_INPUTS = 3  # of those that a factor is the mean of
GUIDE_COLUMNS = 4  # that each level of a tree is indented by
FACTORS = {
    "chip_hours": "Chip-hours",
    "watts_per_chip": "Power",
    "pue": "PUE",
    "gross_kg_per_kwh": "Gross",
    "net_kg_per_kwh": "Net",
}
KINDS = {"gross_location": "gross", "net_hourly": "net, by the hour", "net_annual": "net, by the year"}
AS_PRINTED = (
    "disclosed",
    "chips_x_hours",
    "disclosed_measured",
)  # bases with the uncertainty of a printed number
RESULTS = {"energy_mwh": "Energy", "co2e_gross_t": "Gross CO2e", "co2e_net_t": "Net CO2e"}


def print_short(console: "Console", found: Tree) -> None:
    """One sentence, the results with their intervals, and the factors with basis, year and source."""
    if "without_estimate" in found:
        _print_without_estimate(console, found)
        return
    console.print(sentence(found), "", sep="\n")
    console.print(_results(found), "")
    _print_source(console, found["source"])
    console.print("")
    if found["lifecycle"]:
        console.print(" ".join(_lifecycle(found)), "", sep="\n")
    if limit := words.LIMITS.get(found["covers"]):
        console.print(limit, "", sep="\n")
    solidity = found["solidity"]
    console.print(f"How solid: {solidity}. {catalog.column('solidity').values[solidity].means}", "", sep="\n")
    if stated := words.stated_by(found["hours_stated_by"], found["assumption"]):
        console.print(stated, "", sep="\n")
    if found["factors"]:
        console.print("energy = chip-hours x power x PUE; CO2e = energy x carbon intensity (gross or net)")
        console.print(_factors(found), "")
    if published := [
        FACTORS[name] for name, factor in found["factors"].items() if factor["basis"] in AS_PRINTED
    ]:
        console.print(_covered(published), "", sep="\n")
    if (grid := found["factors"].get("gross_kg_per_kwh")) and grid["basis"] not in AS_PRINTED:
        meaning = catalog.column("gross_basis").values[grid["basis"]].means
        console.print(f"Gross intensity: {meaning[0].lower()}{meaning[1:]}", "", sep="\n")
    if found["energy_basis"] == "reported":
        console.print(
            "The energy is the published figure, because nothing was published to compute it from.", ""
        )
    for line in _published(found):
        console.print(line)
    console.print(
        f"All formulas, inputs and addresses: ote why {found['run_id']} --full. "
        "What a word means: ote explain WORD, such as ote explain interval."
    )


def print_full(console: "Console", found: Tree) -> None:
    """The whole derivation: every formula, input, source and rival value."""
    if "without_estimate" in found:
        _print_without_estimate(console, found)
        return
    from rich.tree import Tree as Branch

    top = Branch(sentence(found))
    if stated := words.stated_by(found["hours_stated_by"], found["assumption"]):
        top.add(stated)
    results = {result["name"]: result for result in found["results"]}
    for result in (results[name] for name in RESULTS if name in results):
        branch = top.add(f"{RESULTS[result['name']]} ({result['name']}): {_amount(result)}")
        branch.add(f"= {_formula(result)}")
    if found["lifecycle"]:
        _add_lifecycle(top, found)
    if found["energy_basis"] == "reported":
        _add_reported(top, found)
    for name, factor in found["factors"].items():
        _add_factor(top, name, factor, hides(found, name))
    for beside in found["beside"]:
        _add_beside(top, beside, is_guess(found["energy_mwh_p05"], found["energy_mwh_p95"]))
    _add_other_figures(top, found)
    _wrap(top, console, console.width)
    console.width = terminal.LONGEST  # all is wrapped, and addresses stay whole
    console.print(top)


def _wrap(branch: "Branch", console: "Console", width: int) -> None:
    """Wrap what a tree says, but no address: each is on a line of its own."""
    from rich.text import Text

    lines = []
    for line in str(branch.label).splitlines():
        is_address = line.startswith(("https://", "http://"))
        lines += [line] if is_address else [each.plain.rstrip() for each in Text(line).wrap(console, width)]
    branch.label = "\n".join(lines)
    for child in branch.children:
        _wrap(child, console, width - GUIDE_COLUMNS)


def sentence(found: Tree) -> str:
    """Energy and gross emissions of a run in one sentence; of a guess only the intervals."""
    begins, about = words.COVERS[found["covers"]]
    known = [found["run_id"]]
    if found["developer"]:
        known.append(terminal.listed(found["developer"]))
    if found["published_date"]:
        known.append(f"published {found['published_date']}")
    run = f"{found['model']} ({', '.join(known)})"
    results = {result["name"]: result for result in found["results"]}
    used = results.get("energy_mwh") or _reported_energy(found)
    amounts = [f"{_about(used, about)} of electricity"]
    if gross := results.get("co2e_gross_t"):
        verb = "would have emitted" if found["covers"] == "hypothetical" else "emitted"
        amounts.append(f"{verb} {_about(gross, about)} of CO2e (gross)")
    text = f"{begins.format(run=run)} {' and '.join(amounts)}."
    if is_guess(used["p05"], used["p95"]):
        text += " This is a guess: too little is published for a number within the interval."
    return text


def _reported_energy(found: Tree) -> Tree:
    low, high = found["energy_mwh_p05"], found["energy_mwh_p95"]
    return {"name": "energy_mwh", "value": found["energy_mwh"], "p05": low, "p95": high}


def _about(result: Tree, about: str) -> str:
    scaled, span = _units(result)
    if is_guess(result["p05"], result["p95"]):
        ends = span(result["p05"], result["p95"]).replace(" to ", " and ")
        return f"{about.removesuffix('about')}between {ends}"
    return f"{about} {scaled(result['value'])}"


def _units(result: Tree) -> tuple[Any, Any]:
    """How an amount and an interval of a result are written."""
    return (energy, energy_span) if result["name"] == "energy_mwh" else (mass, mass_span)


def _amount(result: Tree) -> str:
    """A result with its interval; of a guess the interval alone."""
    scaled, span = _units(result)
    interval = f"90 % interval {span(result['p05'], result['p95'])}"
    return interval if is_guess(result["p05"], result["p95"]) else f"{scaled(result['value'])}, {interval}"


def _formula(result: Tree) -> str:
    """The formula with its numbers; of a guess, whose numbers would say too much, with their names."""
    if is_guess(result["p05"], result["p95"]):
        return f"{' x '.join(result['of'])}, each shown below"
    return f"{result['formula']} = {short(result['value'])} {result['unit']}"


def _results(found: Tree) -> Any:
    headers = ("result", "estimate", "90 % interval")
    made = terminal.table(*headers, "", whole=headers)
    results = {result["name"]: result for result in found["results"]}
    results.setdefault("energy_mwh", _reported_energy(found))
    meanings = {
        "energy_mwh": "electricity of the data center",
        "co2e_gross_t": "with the average of the grid (location-based)",
        "co2e_net_t": "after the operator's carbon-free energy"
        if "co2e_net_t" in results
        else "nothing is known of the operator's carbon-free energy",
    }
    for name, title in RESULTS.items():
        if (result := results.get(name)) is None:
            made.add_row(title, "unknown", "", meanings[name] if name == "co2e_net_t" else "")
            continue
        scaled, span = _units(result)
        shown = "a guess" if is_guess(result["p05"], result["p95"]) else scaled(result["value"])
        made.add_row(title, shown, span(result["p05"], result["p95"]), meanings[name])
    return made


def _lifecycle(found: Tree) -> Iterator[str]:
    """The CO2e that runs are compared by, and why it differs from the gross one where it does."""
    yield f"To compare runs, use life-cycle CO2e: {_amount(found['lifecycle'])}."
    if gross := found["factors"].get("gross_kg_per_kwh"):
        lifecycle = found["lifecycle"]
        reason = words.differs_from_gross(
            (gross["value"], gross["basis"]), (lifecycle["kg_per_kwh"], lifecycle["basis"])
        )
        yield from [reason] if reason else []


def _factors(found: Tree) -> Any:
    made = terminal.table(
        "factor", "value", "90 %", "basis", "year", "source", whole=("value", "90 %", "year")
    )
    for name, factor in found["factors"].items():
        made.add_row(
            FACTORS[name],
            _value(factor, hides(found, name)),
            terminal.times_over(width(factor["p05"], factor["p95"])),
            f"{catalog.label(words.BASIS_COLUMNS[name], factor['basis'])} ({factor['solidity']})",
            "" if factor["factor_year"] is None else f"{factor['factor_year']}",
            factor["source"]["title"],
        )
    return made


def _covered(published: list[str]) -> str:
    """What the intervals of factors that were published for the run cover, and what they do not."""
    return (
        f"Published for the run: {', '.join(published)}. Their uncertainty (90 %) includes rounding and "
        "errors of the meters, but not wrong statements or assumptions in the publication."
    )


def _value(factor: Tree, is_hidden: bool) -> str:
    """The value with its unit, of a guess the interval; chip-hours are named by their factor."""
    unit = {"chip_hours": "", "watts_per_chip": " W", "pue": ""}.get(factor["factor"], " kg/kWh")
    low, high = factor["p05"], factor["p95"]
    value = f"{count(low)} to\n{count(high)}" if is_hidden else count(factor["value"])
    return f"{value}{unit}"


def _published(found: Tree) -> Iterator[str]:
    """What others published of the run: the first figures, each in a line, and how many more there are."""
    lines = []
    for other in found["published"]:
        scaled = energy if other["quantity"] == "energy_mwh" else mass
        inside = "inside" if other["inside_interval"] else "outside"
        lines.append(
            f"Published, for comparison: {scaled(other['published_value'])} "
            f"({_words_of(other)}), {inside} the 90 % interval{_because(other)}."
        )
    for other in found["published_together"]:
        scaled = energy if other["quantity"] == "energy_mwh" else mass
        lines.append(
            f"Published together with other runs ({other['published_id']}): {scaled(other['value'])} "
            f"({_words_of(other)}); not compared."
        )
    yield from lines[:SHOWN_FIGURES]
    if (more := len(lines) - SHOWN_FIGURES) > 0:
        yield f"{counted(more, 'more published figure')}: --full lists all."


def _because(other: Tree) -> str:
    """What the source of a figure outside the interval says of it."""
    return f"; likely cause: {other['cause_reason']}" if other["cause_reason"] else ""


def _words_of(other: Tree) -> str:
    """What a published figure counts, in words."""
    kind = KINDS.get(other["basis"], "")
    power = "" if other["derivation"] == "unspecified" else catalog.label("derivation", other["derivation"])
    return ", ".join(part for part in (kind, catalog.label("scope", other["scope"]), power) if part)


def _print_without_estimate(console: "Console", found: Tree) -> None:
    console.print(f"{found['model']} ({found['run_id']}) has no estimate: {found['without_estimate']}")
    _print_source(console, found["source"])
    console.print(f"Runs with an estimate and a similar name: ote find {found['model'].split()[0]}")


def _print_source(console: "Console", source: Tree) -> None:
    """Where the facts of a run are from; the address stays whole."""
    console.print(f"Source: {source['title']}, {source['locator']}")
    console.print(source["url"], soft_wrap=True)


def _add_lifecycle(top: "Branch", found: Tree) -> None:
    """The life-cycle CO2e with the intensity that it uses; of a guess the interval alone."""
    lifecycle = found["lifecycle"]
    branch = top.add(f"Life-cycle CO2e (co2e_lifecycle_t): {_amount(lifecycle)}")
    for line in list(_lifecycle(found))[1:]:
        branch.add(line)
    branch.add(f"uses {short(lifecycle['kg_per_kwh'])} kg/kWh, basis {lifecycle['basis']}").add(
        _cited(lifecycle["source"])
    )


def _add_reported(top: "Branch", found: Tree) -> None:
    """How the published energy became the energy of the data center."""
    energy_mwh, reported = found["energy_mwh"], found["reported"]["energy_mwh"]
    pue = "" if energy_mwh == reported else f" x {short(energy_mwh / reported)} PUE"
    scope = catalog.label("scope", found["reported"]["energy_scope"])
    branch = top.add(
        "Energy (energy_mwh): the published figure, because nothing was published to compute it from"
    )
    branch.add(f"= {short(reported)} MWh ({scope}){pue} = {short(energy_mwh)} MWh")
    branch.add(_cited(found["source"]))


def _add_factor(top: "Branch", name: str, factor: Tree, is_hidden: bool) -> None:
    source, value = factor["source"], factor["basis"]
    meaning = catalog.column(words.BASIS_COLUMNS[name]).values[value].means
    year = "" if factor["factor_year"] is None else f", for {factor['factor_year']}"
    year += ", which is not the year of the run" if factor["is_other_year"] else ""
    grid = f", {factor['intensity_basis']} intensity" if factor["intensity_basis"] else ""
    low, high = factor["p05"], factor["p95"]
    number = "a guess" if is_hidden else f"{short(factor['value'])} {factor['unit']}"
    branch = top.add(
        f"{FACTORS[name]} ({name}): {number}, 90 % interval {short(low)} to {short(high)}{grid}{year}"
    )
    branch.add(f"basis {value}: {meaning}")
    seen = counted(factor["n_observations"], "observation")
    of = " of PUE - 1" if factor["distribution"] == "one_plus_lognormal" else ""
    branch.add(f"uncertainty: gsd {factor['gsd']:.3f}{of}, from {factor['fitted_on']} ({seen})")
    if factor["upper_bound"] is not None:
        above = f"{1 - factor['below_bound_fraction']:.1%} of the distribution is above"
        branch.add(
            f"cut off at {short(factor['upper_bound'])} {factor['unit']}, the most that a known site can "
            f"have used: {above}; without the bound: {short(factor['unbounded_value'])}"
        )
    if (flop := factor["flop"])["confidence"] is not None:
        branch.add(
            f"uncertainty of the FLOP, included: gsd {flop['gsd']:.3f}, {flop['confidence']}: "
            f"{flop['fitted_on']}"
        )
    known = branch.add(_cited(source))
    known.add(f"verified: {catalog.column('verified').values[source['verified']].means}")
    if source["sha256"]:
        when = f", retrieved {source['retrieved_at']}" if source["retrieved_at"] else ""
        known.add(f"sha256 {source['sha256'][:16]}...{when}")
    if factor["inputs"]:
        _add_inputs(branch, factor["inputs"])


def _add_inputs(branch: "Branch", found: inputs.Inputs) -> None:
    """The heaviest inputs of a mean, and how many more there are."""
    times, of = found["times"], found["of"]
    if times:
        branch.add(f"{times['name']}: {short(times['value'])} {times['unit']}, times").add(
            _cited(times["source"])
        )
    mean = branch.add(f"{found['mean']} mean of {counted(len(of), 'input')}, each with its weight:")
    for one in of[:SHOWN_INPUTS]:
        mean.add(f"{one['weight_fraction']:.3f} x {short(one['value'])} {one['unit']}: {one['name']}").add(
            _cited(one["source"])
        )
    if len(of) > SHOWN_INPUTS:
        mean.add(f"and {len(of) - SHOWN_INPUTS} more, all with --json")


def _add_beside(top: "Branch", beside: Tree, guess: bool) -> None:
    """A quantity that is not in the results; its formula has the numbers of the run, so a guess has none."""
    low, high = short(beside["p05"]), short(beside["p95"])
    guess = guess or is_guess(beside["p05"], beside["p95"])
    number = "a guess" if guess else short(beside["value"])
    branch = top.add(
        f"{beside['name']}, not in the results: {number}, 90 % interval {low} to {high} {beside['unit']}"
    )
    if not guess:
        branch.add(f"= {beside['formula']}")
    branch.add(_cited(beside["source"]))


def _add_other_figures(top: "Branch", found: Tree) -> None:
    """What others published of the run, and the values that were not chosen."""
    reported = {name: value for name, value in found["reported"].items() if isinstance(value, float)}
    if found["energy_basis"] == "reported":
        del reported["energy_mwh"]  # it is the energy, as above
    for name, value in reported.items():
        unit = "MWh" if name == "energy_mwh" else "t"
        top.add(f"reported {name}: {short(value)} {unit} (for comparison; not used)")
    for other in found["published"]:
        inside = "inside" if other["inside_interval"] else "outside"
        unit = "MWh" if other["quantity"] == "energy_mwh" else "t"
        top.add(
            f"published {other['quantity']}: {short(other['published_value'])} {unit} ({_words_of(other)}), "
            f"{inside} the 90 % interval"
        ).add(f"{other['source_locator']}\n{other['source_url']}")
    for other in found["published_together"]:
        unit = "MWh" if other["quantity"] == "energy_mwh" else "t"
        top.add(
            f"published together with other runs ({other['published_id']}), {other['quantity']}: "
            f"{short(other['value'])} {unit} ({_words_of(other)}), not compared"
        ).add(f"{other['source_locator']}\n{other['source_url']}")
    rules = catalog.column("rule").values
    for rival in found["rivals"]:
        top.add(
            f"{rival['column_name']}: {short(rival['chosen_value'])} was chosen, another source gives "
            f"{short(rival['rival_value'])}. {rules[rival['rule']].means} ({rival['rule']})"
        ).add(f"{rival['rival_source_id']}, {rival['rival_source_locator']}")


def _cited(source: Tree) -> str:
    return f"{source['title']}, {source['locator']}\n{source['url']}"
