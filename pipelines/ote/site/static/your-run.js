// The page Your run: a form, its estimate with the factors, and the text that states it.

import { energy, factorsOf, intervalOf, mass, basisOf, overhead, paragraph, spreadOf, valueOf } from "./disclosure.js";
import { BadRunsError, estimate, prepare } from "./estimate.js";
import { csv, element, reasonOf, save, Shared, table } from "./questions.js";

const form = document.getElementById("run"), status = document.getElementById("status"), answer = document.getElementById("answer");
const text = document.getElementById("text"), copied = document.getElementById("copied");
let method = null, estimated = null, asked = 0;

const shared = new Shared(form.dataset.database, async (engine) => {
  const found = await fetch(form.dataset.method);
  if (!found.ok) throw new Error(`${form.dataset.method}: ${found.status}`);
  method = await found.json();
  await prepare(engine, method, new Date().toISOString().slice(0, 10));
});

const given = () => Object.fromEntries([...new FormData(form)].filter(([, cell]) => cell.trim()));

/** Names of columns in a sentence as the labels of their fields; two of them are also plain words. */
function labelled(says) {
  const { hardware, chips, ...others } = method.columns;
  return Object.entries(others).reduce(
    (sentence, [column, label]) => (column.includes("_") ? sentence.replaceAll(new RegExp(`\\b${column}\\b`, "g"), `“${label}”`) : sentence),
    says.replace("hardware=", `“${hardware}” `).replace("chips=", `“${chips}” `).replace("chips with", `“${chips}” with`),
  );
}

function showProblems(problems) {
  for (const { column, says } of problems) {
    const field = form.elements[column], line = document.getElementById(`e-${column}`);
    line.textContent = [line.textContent, labelled(says)].filter(Boolean).join(". ");
    field.setAttribute("aria-invalid", "true");
    field.closest("details").open = true;
  }
  const named = problems.map(({ column, says }) => `${method.columns[column]}: ${labelled(says)}`);
  status.textContent = named.join("\n");
  form.elements[problems[0].column].focus();
}

function clearProblems() {
  for (const line of form.querySelectorAll(".wrong")) line.textContent = "";
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
}

const TOTALS = [
  ["Energy, with PUE", "energy_mwh", energy],
  ["CO2e, gross (location-based)", "co2e_gross_t", mass],
  ["CO2e, life-cycle (as in all lists here)", "co2e_lifecycle_t", mass],
  ["CO2e, net of the operator's hourly carbon-free energy", "co2e_net_t", mass],
  ["CO2e, market-based", "co2e_market_t", mass],
];

function shownTotals(run, { unknown }) {
  const rows = TOTALS.map(([name, column, show]) => (run[column] === null
    ? [name, "unknown", unknown[column]]
    : [name, show(run[column]), intervalOf(run, column)]));
  return table({ names: ["Quantity", "Value", "90 % interval"], types: ["VARCHAR", "VARCHAR", "VARCHAR"], rows }, "Result", true);
}

/** No other year is named where the figure is of the run's own year. */
function basisInYear({ basis, year }, run, words) {
  const says = basisOf(basis, words), { otherYear } = words;
  return year === run.run_year && says.endsWith(otherYear) ? says.slice(0, -otherYear.length) : says;
}

function shownFactors(run, words) {
  const rows = factorsOf(run).map((factor) => [
    words.factors[factor.name][0],
    `${valueOf(factor, words)} ${words.factors[factor.name][1]}`.trim(),
    factor.gsd === null ? "" : spreadOf(factor),
    basisInYear(factor, run, words) + (factor.year ? `, ${factor.year}` : ""),
    [factor.locator, factor.url].filter(Boolean).join(", "),
  ]);
  return table({ names: ["Factor", "Value", "×/÷", "How it is known", "Source"], types: Array(5).fill("VARCHAR"), rows }, "Factors", true);
}

/** How the accelerators were counted, and which variant was assumed. */
function notesOnHardware(run) {
  const { units, personal, personalHint } = method, name = run.hardware_name ?? "";
  const all = run.chips ? `, so ${run.chips.toLocaleString("en")} in all` : "";
  return [
    run.counting ? `Counted: ${run.counting}${all}.` : units.find((unit) => unit.hardwareId === run.hardware_id)?.hint,
    run.is_ambiguous_hardware && run.energy_basis === "computed" &&
      `The name stands for several variants, and ${name} is assumed; the exact one (SXM, PCIe, memory) narrows the power.`,
    name && run.hardware_id === null &&
      `“${name}” is not an accelerator known here: the name is kept as text, and the limits of its energy per hour cannot be checked.`,
    new RegExp(personal, "i").test(name) && run.pue_basis !== "disclosed" && personalHint,
  ];
}

function notes(run, words) {
  const assumed = factorsOf(run).filter(({ basis }) => basis !== null && !words.given.includes(basis)).map(({ name }) => words.factors[name][0]);
  if (run.is_assumed_provider) assumed.push(`provider ${run.provider}, since TPUs run in its data centers only`);
  const isGuess = run.energy_mwh_p95 > method.guessRatio * run.energy_mwh_p05;
  return [
    isGuess && `This is a guess: the interval of its energy spans more than a factor of ${method.guessRatio}. Quote the interval, not the number.`,
    ...notesOnHardware(run),
    run.within_country,
    `Assumed: ${assumed.join("; ") || "nothing"}.`,
    `Intensity of the grid: ${words.intensities[run.intensity_basis]}.`,
    overhead(run, words),
    `Year of the run: ${run.run_year}. Dataset: Open Training Emissions ${run.dataset_version}.`,
  ].filter(Boolean).map((note) => element("li", note));
}

function show(run) {
  const { words } = method;
  document.getElementById("totals").replaceChildren(shownTotals(run, words));
  document.getElementById("factors").replaceChildren(shownFactors(run, words));
  document.getElementById("notes").replaceChildren(...notes(run, words));
  text.value = paragraph(run, words);
  copied.textContent = "";
  answer.hidden = false;
  status.textContent = `${run.model ?? "This run"}: ${energy(run.energy_mwh)} (${intervalOf(run, "energy_mwh")}), ` +
    `${mass(run.co2e_gross_t)} gross CO2e (${intervalOf(run, "co2e_gross_t")}).`;
}

async function ask() {
  const number = ++asked, run = given();
  clearProblems();
  answer.hidden = true;
  history.replaceState(null, "", Object.keys(run).length ? `?${new URLSearchParams(run)}` : location.pathname);
  status.textContent = shared.isLoaded ? "Estimating …" : `Loading DuckDB and the data (${form.dataset.size}) …`;
  try {
    const engine = await shared.use();
    if (number !== asked) return;
    status.textContent = "Estimating …";
    const [found] = await shared.inTurn(() => (number === asked ? estimate(engine, method, [run]) : []));
    if (number !== asked) return;
    estimated = found;
    show(found);
    document.getElementById("result").focus(); // the view moves there, too
  } catch (error) {
    if (number !== asked) return;
    if (error instanceof BadRunsError) showProblems(error.problems);
    else status.textContent = reasonOf(error);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
form.addEventListener("reset", () => {
  asked++;
  clearProblems();
  answer.hidden = true;
  status.textContent = "";
  history.replaceState(null, "", location.pathname);
});
document.getElementById("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(text.value);
    copied.textContent = "Copied.";
  } catch {
    text.select(); // a browser that allows no copying by a program
    copied.textContent = "The text is selected: copy it with Ctrl+C.";
  }
});
document.getElementById("file").addEventListener("click", () => {
  const names = Object.keys(estimated), cells = Object.values(estimated);
  const types = cells.map((cell) => (typeof cell === "number" ? "DOUBLE" : "VARCHAR"));
  save("estimate.csv", csv({ names, types, rows: [cells.map((cell) => (cell === null ? null : String(cell)))] }), "text/csv");
});

for (const [name, cell] of new URLSearchParams(location.search)) {
  const field = form.elements.namedItem(name);
  if (!(field instanceof HTMLInputElement)) continue;
  field.value = cell;
  field.closest("details").open = true;
}
if (Object.keys(given()).length) status.textContent = "The form is filled in from the address. Press Estimate.";
form.hidden = false;
