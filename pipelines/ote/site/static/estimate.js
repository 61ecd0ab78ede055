// Runs estimated in the browser: the queries of sql/estimate, in the order in which pipelines/ote/answers/estimate.py
// runs them. `method` is estimate.json: the queries themselves, and the tables that they read.

import { literal } from "./engine.js";
import { isNumeric } from "./questions.js";

/** What is wrong with runs: a list of { row, column, says }. */
export class BadRunsError extends Error {
  constructor(problems) {
    super(problems.map(({ says }) => says).join("; "));
    this.problems = problems;
  }
}

/** The dataset in view, and a day that counts as today. */
export async function prepare(engine, method, today) {
  await engine.file("states.csv", method.states);
  const views = method.tables.map((table) => `create temp view ${table.split(".").at(-1)} as select * from dataset.${table};`);
  await engine.run(views.join("\n"));
  await engine.run(method.queries.macros);
  await engine.run("create temp table states as from read_csv('states.csv', all_varchar = true)");
  await engine.run(`set variable today = date ${literal(today)}`);
}

const madeOf = (method, ...names) =>
  names.map((name) => `create or replace temp table ${name} as ${method.queries[name]};`).join("\n");

/** The estimates of runs, which hold text by column; a column that a run does not state is left out. */
export async function estimate(engine, method, runs) {
  await take(engine, method, runs);
  await engine.run(`create or replace temp table problems as ${method.queries.problems}`);
  const { rows: problems } = await engine.rows("from problems order by all");
  if (problems.length) throw new BadRunsError(problems.map(([row, column, says]) => ({ row: Number(row), column, says })));
  await engine.run(`
    create or replace temp table stays as select distinct location_no, period_no, month_count from runs;
    ${madeOf(method, "settings", "estimates")}`);
  const found = await engine.rows("select * exclude (row_number) from estimates order by row_number");
  return found.rows.map((row) => Object.fromEntries(row.map((cell, place) => [found.names[place], typed(cell, found.types[place])])));
}

function typed(cell, type) {
  if (cell === null) return null;
  if (type === "BOOLEAN") return cell === "true";
  return isNumeric(type) ? Number(cell) : cell;
}

const CONTROL = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

function refuseBadText(runs) {
  const bad = runs.flatMap((run, place) => Object.entries(run)
    .filter(([, text]) => CONTROL.test(text) || text.length > 1000)
    .map(([column]) => ({ row: place + 1, column, says: "expected text of at most 1,000 characters, without control characters" })));
  if (bad.length) throw new BadRunsError(bad);
}

async function take(engine, method, runs) {
  refuseBadText(runs);
  const columns = Object.keys(method.columns);
  const lines = runs.map((run, place) => `(${[place + 1, ...columns.map((column) => literal(run[column] ?? null))].join(", ")})`);
  const types = columns.map((column) => `cast(${column} as varchar) as ${column}`);
  await engine.run(`create or replace temp table given as
    select cast(row_number as bigint) as row_number, ${types.join(", ")}
    from (values ${lines.join(", ")}) as cells (row_number, ${columns.join(", ")})`);
  const counted = runs.flatMap((run) => (run.hardware ? [[run.hardware, countingOf(method, run.hardware)]] : []));
  const countings = new Map(counted.filter(([, counting]) => counting));
  await engine.run(`
    create or replace temp table named_cells as select distinct ${method.names.join(", ")} from given;
    create or replace temp table start_cells as select distinct started from given;
    create or replace temp table countings (hardware text, model text, chips_each double, message text);
    create or replace temp table generations (hardware text, message text);
    ${runs.map(({ hardware }) => [hardware, generationOf(method, hardware ?? "")]).filter(([, says]) => says).map(([spelling, says]) =>
      `insert into generations values (${literal(spelling)}, ${literal(says)});`).join("\n")}
    ${[...countings].map(([spelling, { model, chipsEach, says }]) =>
      `insert into countings values (${literal(spelling)}, ${literal(model)}, ${chipsEach}, ${literal(says)});`).join("\n")}
    ${madeOf(method, "names", "starts", "gsds", "powers", "runs")}
    create or replace temp view out_of_bounds as ${method.queries.bounds};
    create or replace temp view counted_twice as ${method.queries.slices};
    create or replace temp table unknown_regions (cloud_region text, message text);`);
  const unknown = await engine.rows(`
    select distinct given_region, coalesce(location_key(given_region), '') from names where given_region is not null and cloud_region is null`);
  for (const [name, key] of unknown.rows) {
    await engine.run(`insert into unknown_regions values (${literal(name)}, ${literal(await instead(engine, name, key))})`);
  }
}

/** What to give instead of a cloud region that is not known, as unknown_region of pipelines/ote/answers/locations.py. */
async function instead(engine, name, key) {
  const { rows } = await engine.rows(
    "select region, provider, country, coalesce(location_key(location), '') from regions where region not like 'site:%' order by region");
  const countries = await engine.rows(`
    select country from countries where ${literal(key)} in (location_key(alias), location_key(country), location_key(iso3)) limit 1`);
  const words = key.split(" ").filter(Boolean), named = (found) => found.map(([region]) => region).join(", ");
  const shown = name.includes("'") && !name.includes('"') ? `"${name}"` : `'${name}'`;
  const there = rows.filter((row) => words.length && words.every((word) => row[3].split(" ").includes(word)));
  if (there.length) {
    const regions = there.map(([region, provider]) => `${region} (${provider})`).join(", ");
    return `${shown} is a location, not a region. The cloud regions there: ${regions}`;
  }
  if (countries.rows.length) {
    const found = {};
    for (const [region, provider, country] of rows) {
      if (country === countries.rows[0][0]) (found[provider] ??= []).push(region);
    }
    const regions = Object.keys(found).sort().map((provider) => `${provider}: ${found[provider].join(", ")}`).join("; ");
    return `${shown} is a country, not a region: give it as the country (in a command: --country). Its cloud regions: ${regions || "none known"}`;
  }
  return `${shown} is not a known region. The nearest: ${named(nearest(name.trim().toLowerCase(), rows)) || "none"}`;
}

/** The three rows whose names are most like a mistyped one, as difflib.get_close_matches of Python finds them. */
function nearest(name, rows) {
  const matching = (a, b) => {
    let [length, from, to] = [0, 0, 0];
    for (let i = 0; i < a.length; i++) {
      for (let j = 0; j < b.length; j++) {
        let same = 0;
        while (i + same < a.length && j + same < b.length && a[i + same] === b[j + same]) same++;
        if (same > length) [length, from, to] = [same, i, j];
      }
    }
    return length && length + matching(a.slice(0, from), b.slice(0, to)) + matching(a.slice(from + length), b.slice(to + length));
  };
  const judged = rows.map((row) => {
    const spelling = row[0].toLowerCase();
    return { row, spelling, ratio: (2 * matching(spelling, name)) / (spelling.length + name.length) };
  });
  const near = judged.filter(({ ratio }) => ratio >= 0.4);
  near.sort((one, other) => other.ratio - one.ratio || (one.spelling < other.spelling ? 1 : -1));
  return near.slice(0, 3).map(({ row }) => row);
}

const counts = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

/** What to give instead of a name that is of a generation of chips, as pipelines/ote/hardware_units.py has it. */
const generationOf = ({ generations }, name) =>
  Object.entries(generations).find(([word]) => new RegExp(`(?<![a-z])${word}(?![a-z])`).test(name.toLowerCase()))?.[1];

/** What a name that is a part of accelerators, or a slice of them, is in chips, as pipelines/ote/hardware_units.py has it. */
export function countingOf({ units, slice, makers }, spelling) {
  const wordsOf = (name) => {
    const words = name.toLowerCase().replace(/(gcd|gpu|core|die|chip)s$/, "$1").match(/[a-z0-9]+/g) ?? [];
    return [...new Set(words)].filter((word) => !makers.includes(word)).sort().join(" ");
  };
  const name = spelling.trim(), text = name.toLowerCase().replace(/tpu\s*v/g, "tpu v");
  const found = new RegExp(`^(?:${slice})$`).exec(text);
  if (found) {
    const generation = found[1].replace("litepod", "e"), size = Number(found[2]);
    const unit = units.find((one) => one.countedBy.includes("slice") && one.model.toLowerCase() === `tpu ${generation}`);
    if (unit && size) {
      const chips = size / unit.perChip;
      const parts = unit.perChip > 1 ? ` = ${Number(chips.toPrecision(6))} chips (${unit.perChip} ${unit.noun}s to a chip)` : "";
      return { model: unit.model, chipsEach: chips, says: `${name} is a slice of ${counts(size, unit.noun)}${parts}` };
    }
  }
  const words = wordsOf(text.replace(/\btensor\s*core/, "core"));
  const unit = units.find((one) => words === wordsOf(one.name));
  if (!unit) return null;
  const whole = unit.noun === "core" ? "chip" : "board";
  return { model: unit.model, chipsEach: 1 / unit.perChip, says: `${name}: ${unit.perChip} ${unit.noun}s are 1 ${whole}` };
}
