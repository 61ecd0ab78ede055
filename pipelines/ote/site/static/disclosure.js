// The text that states a run in a paper, and its numbers with units, as pipelines/ote/answers/disclosure.py and
// quantities.py write them. `words` is part of estimate.json: what the dataset calls things.

/** A number to some significant digits as text; of two that are as near, the even one, as Python rounds. */
function precise(value, digits) {
  const [mantissa, exponent] = Math.abs(value).toExponential(60).split("e");
  const all = mantissa.replace(".", ""), rest = all.slice(digits);
  const isTie = /^50*$/.test(rest) && Number(all[digits - 1]) % 2 === 0;
  const cut = `${mantissa.slice(0, digits === 1 ? 1 : digits + 1)}e${exponent}`;
  const rounded = Number(isTie ? cut : Math.abs(value).toPrecision(digits));
  return value < 0 ? -rounded : rounded;
}

const grouped = (value, decimals) =>
  value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });

/** Significant digits without an exponent, with separators for thousands. */
function significant(value, digits = 3) {
  if (value === 0) return "0";
  const rounded = precise(value, digits);
  return grouped(rounded, Math.max(digits - 1 - Math.floor(Math.log10(Math.abs(rounded))), 0));
}

function scaled(number, unit, units, usual) {
  if (number === 0) return `0 ${unit}`;
  const smallest = number * 1000 ** units.indexOf(unit);
  let steps = Math.abs(smallest) >= 1000 ** (units.indexOf(usual) - 1) ? units.indexOf(usual) : 0;
  while (steps < units.length - 1 && Math.abs(precise(smallest / 1000 ** steps, 3)) >= 1000) steps += 1;
  return `${significant(smallest / 1000 ** steps)} ${units[steps]}`;
}

export const energy = (mwh) => scaled(mwh, "MWh", ["µWh", "mWh", "Wh", "kWh", "MWh", "GWh", "TWh"], "Wh");
export const mass = (tonnes) => scaled(tonnes, "t", ["µg", "mg", "g", "kg", "t", "kt", "Mt"], "g");

/** Three significant digits, as a factor or a ratio is shown. */
function number(value) {
  const shown = precise(value, 3);
  return Math.abs(shown) >= 100 ? grouped(shown, 0) : String(shown);
}

/** A number that was given, to two decimals and at least six significant digits. */
const exact = (value) => {
  const digits = value ? Math.max(2, 5 - Math.floor(Math.log10(Math.abs(value)))) : 0;
  return Number(value.toFixed(digits)).toLocaleString("en-US", { maximumSignificantDigits: 12 });
};

function duration(hours) {
  const seconds = hours * 3600;
  const sizes = [[3600, "hour"], [60, "minute"], [1, "second"], [1e-3, "millisecond"], [1e-6, "microsecond"]];
  const [size, unit] = sizes.find(([size]) => precise(seconds / size, 3) >= 1) ?? sizes.at(-1);
  const count = seconds / size, shown = count >= 100 ? grouped(wholeOf(count), 0) : String(precise(count, 3));
  return shown === "1" ? `1 ${unit}` : `${shown} ${unit}s`;
}

const wholeOf = (value) => precise(value, Math.floor(Math.log10(value)) + 1);

const FACTORS = { energy_kwh: "energy", chip_hours: "chip_hours", watts_per_chip: "watts", pue: "pue", gross_kg_per_kwh: "gross", net_kg_per_kwh: "net" };

/** The factors of a run: value, gsd, basis, year and source of each that is known. */
export function factorsOf(run) {
  return Object.entries(FACTORS).map(([name, prefix]) => ({
    name,
    value: run[name],
    gsd: run[`${prefix}_gsd`],
    basis: run[`${prefix}_basis`],
    year: run[`${prefix}_factor_year`] ?? null,
    url: run[`${prefix}_source_url`] ?? null,
    locator: run[`${prefix}_source_locator`] ?? null,
  })).filter((factor) => factor.value !== null);
}

/** A factor's value: as it was given, or rounded where it is an estimate. */
export const valueOf = (factor, words) =>
  (factor.basis === null || words.given.includes(factor.basis) ? exact(factor.value) : number(factor.value));

export const basisOf = (name, words) => (name === null ? "given, not used" : words.bases[name]);

export const intervalOf = (run, name) => {
  const show = name.endsWith("_mwh") ? energy : mass;
  const low = show(run[`${name}_p05`]), high = show(run[`${name}_p95`]);
  const [number, unit] = low.split(" "); // the unit once where both ends share it
  return `${high.endsWith(` ${unit}`) ? number : low} to ${high}`;
};

/** A sentence of disclosure.py with its gaps filled. */
const filled = (sentence, cells) => sentence.replaceAll(/\{(\w+)\}/g, (_, name) => cells[name]);

/** The paragraph on a run, with the sentences of `ote report`. */
export function paragraph(run, words) {
  const factor = Object.fromEntries(factorsOf(run).map((one) => [one.name, one]));
  const chips = hardware(run, words), place = location(run, words);
  return filled(words.sentences.paragraph, {
    trained: `${run.model ?? "The model"} was trained${chips && ` on ${chips}`}${place && ` in ${place}`}`,
    hours: run.training_hours ? ` for ${duration(run.training_hours)}` : "",
    training: "Training",
    estimated: run.energy_basis === "measured" ? "" : words.sentences.estimated,
    energy: energy(run.energy_mwh),
    energy_interval: intervalOf(run, "energy_mwh"),
    pue: valueOf(factor.pue, words),
    gross: mass(run.co2e_gross_t),
    gross_interval: intervalOf(run, "co2e_gross_t"),
    intensity: valueOf(factor.gross_kg_per_kwh, words),
    year: factor.gross_kg_per_kwh.year ? `, ${factor.gross_kg_per_kwh.year}` : "",
    grid: basisOf(factor.gross_kg_per_kwh.basis, words).replace(words.otherYear, ""),
    kind: words.intensities[run.intensity_basis],
    lifecycle: lifecycle(run, words),
    market: market(run, words),
    net: net(run, words),
    limits: limits(run, words),
    method: words.method,
    how: how(run, words),
    version: run.dataset_version,
    scope: words.scope,
    overhead: overhead(run, words),
  });
}

function hardware(run, { sentences }) {
  if (!run.hardware_name && !run.chips) return "";
  if (!run.hardware_name) return filled(sentences.unnamed, { chips: `${grouped(run.chips, 0)} accelerator${run.chips === 1 ? "" : "s"}` });
  const name = run.hardware_name + (run.is_ambiguous_hardware ? sentences.variant : "");
  return run.chips ? `${grouped(run.chips, 0)} x ${name}` : name;
}

function location(run, { countries, states }) {
  const parts = [run.cloud_region, states[run.site_state] ?? run.site_state, countries[run.site_country] ?? run.site_country];
  return parts.filter(Boolean).join(", ");
}

function lifecycle(run, { sentences }) {
  if (run.intensity_basis === "lifecycle" || run.co2e_lifecycle_t === null) return "";
  return filled(sentences.lifecycle, { lifecycle: `${mass(run.co2e_lifecycle_t)} (${intervalOf(run, "co2e_lifecycle_t")})` });
}

function market(run, { sentences, unknown, bases }) {
  if (run.co2e_market_t === null) return filled(sentences.no_market, { why: unknown.co2e_market_t });
  const source = run.market_basis === "disclosed" ? "the intensity that was given" : bases[run.market_basis];
  return filled(sentences.market, { market: `${mass(run.co2e_market_t)} (${intervalOf(run, "co2e_market_t")}), by ${source}` });
}

function net(run, { sentences }) {
  if (run.co2e_net_t === null) return filled(sentences.no_net, { why: filled(sentences.no_hours, { of: "" }) });
  return filled(sentences.net, { net: `${mass(run.co2e_net_t)} (${intervalOf(run, "co2e_net_t")})` });
}

function limits(run, words) {
  const isVague = run.is_ambiguous_hardware && !words.metered.includes(run.energy_basis);
  const says = [run.within_country, run.metering && `Metering: ${run.metering}`, isVague && words.ambiguous];
  return says.filter(Boolean).map((part) => `${part.replace(/\.+$/, "")}. `).join("");
}

function how(run, words) {
  const { sentences } = words;
  if (run.energy_basis === "partly_measured") return sentences.partly_metered;
  if (run.energy_basis === "measured") return run.metering ? sentences.metered : sentences.measured;
  const [hours, watts, pue] = [run.chip_hours_basis, run.watts_basis, run.pue_basis].map((name) => basisOf(name, words));
  return filled(sentences.computed, { hours, watts, pue });
}

/** What the project of a run used besides, as other projects published it; never in the result. */
export function overhead(run, { sentences }) {
  const parts = ["overhead_ratio_p05", "overhead_ratio", "overhead_ratio_p95"].map((name) => run[name]);
  if (parts.includes(null)) return sentences.no_overhead;
  const [low, ratio, high] = parts.map(number);
  return filled(sentences.overhead, { ratio, low, high });
}

/** How wide the 90 % interval of a factor is, as a factor; nothing of a PUE is below 1. */
export function spreadOf({ name, value, gsd }) {
  const least = name === "pue" ? 1 : 0, half = Math.exp(1.645 * Math.log(gsd));
  const low = least + (value - least) / half, high = least + (value - least) * half;
  return low ? Math.sqrt(high / low).toFixed(2) : "1.00";
}
