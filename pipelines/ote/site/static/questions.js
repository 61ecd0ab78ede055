// What the two pages of questions share: elements, a result as a table and as CSV, and one engine for a page.

import { Engine, RefusedError } from "./engine.js";

/** An element with a text. */
export function element(name, text = "", kind = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

const NUMERIC = /^(?:U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|DOUBLE|FLOAT|DECIMAL.*)$/;

/** Whether a type of DuckDB is a number. */
export const isNumeric = (type) => NUMERIC.test(type);

/** A result as CSV. Text that a spreadsheet would execute has an apostrophe in front, as in the CSV of a release. */
export function csv({ names, types, rows }) {
  const quoted = (cell, type) => {
    if (cell === null) return "";
    const text = !isNumeric(type) && /^[=+\-@\t']/.test(cell) ? `'${cell}` : cell;
    return `"${text.replaceAll('"', '""')}"`;
  };
  const lines = [names.map((name) => quoted(name, "VARCHAR")), ...rows.map((row) => row.map((cell, place) => quoted(cell, types[place])))];
  return lines.map((line) => `${line.join(",")}\r\n`).join("");
}

/** Offer a text as a file. */
export function save(name, text, type) {
  const link = element("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** One engine of a page: loaded at its first use, and again after it was stopped or failed. */
export class Shared {
  #started = null;
  #prepare;
  #last = Promise.resolve();

  constructor(database, prepare) {
    this.database = database;
    this.#prepare = prepare;
  }

  get isLoaded() {
    return this.#started !== null;
  }

  use() {
    this.#started ??= this.#start().catch((error) => {
      this.#started = null;
      throw error;
    });
    return this.#started;
  }

  /** One work after the other: two at once would write the same tables and the same file of a result. */
  inTurn(work) {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  async #start() {
    const engine = await Engine.start(this.database);
    await this.#prepare(engine);
    return engine;
  }

  async stop() {
    const started = this.#started;
    this.#started = null;
    (await started)?.stop();
  }
}

/** A number with a fraction as a table shows it: to six digits. The CSV has all of them. */
export function rounded(cell) {
  const whole = Math.abs(Math.trunc(Number(cell))).toFixed(0).length;
  return /^-?\d+\.\d+(e[+-]?\d+)?$/.test(cell) ? String(Number(Number(cell).toPrecision(Math.min(Math.max(6, whole), 17)))) : cell;
}

/** A result as a table that scrolls sideways, or whose cells are stacked on a phone, as markup.py has them. */
export function table(result, caption, isStacked = false) {
  const made = element("table"), head = made.createTHead().insertRow(), body = made.createTBody();
  made.createCaption().textContent = caption;
  result.names.forEach((name, place) => {
    const cell = element("th", name, isNumeric(result.types[place]) ? "n" : "");
    cell.scope = "col";
    head.append(cell);
  });
  for (const row of result.rows) {
    const line = body.insertRow();
    row.forEach((cell, place) => line.append(cell === null
      ? element("td", "null", "none")
      : isNumeric(result.types[place]) ? element("td", rounded(cell), "n") : element("td", cell)));
  }
  if (isStacked) {
    made.className = "stacked";
    made.setAttribute("role", "table");
    for (const line of body.rows) {
      line.setAttribute("role", "row");
      [...line.cells].forEach((cell, place) => {
        cell.setAttribute("role", "cell");
        cell.dataset.of = result.names[place];
      });
    }
  }
  const region = element("div", "", "scroll");
  region.tabIndex = 0;
  region.setAttribute("role", "region");
  region.setAttribute("aria-label", caption);
  region.append(made);
  return region;
}

/** What went wrong, in a sentence. */
export const reasonOf = (error) => (error instanceof RefusedError ? error.message : `The engine could not be used: ${error.message}.`);
