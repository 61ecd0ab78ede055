"use strict";
// Charts by keyboard, search in long tables, and the runs of the first page: filter, sort, CSV, address.
// Text from the data enters the page by textContent alone.

const element = (name, text = "", kind = "") => {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (kind) made.className = kind;
  return made;
};

const NEAR_PX = 24, CROWD = 60; // marks of a chart; of more, as pipelines/ote/site/parts.py draws them

// The page is reopened as it was left: what is sought, and how tables are sorted, is in its address.
const kept = new URLSearchParams(location.search);
const keep = (name, value) => {
  const given = new URLSearchParams(location.search);
  if (value) given.set(name, value);
  else given.delete(name);
  history.replaceState(null, "", `${given.size ? `?${given}` : location.pathname}${location.hash}`);
};

// A fold opens when a link leads to it, or to something in it.
const unfold = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const fold = target?.closest("details");
  if (!fold) return;
  fold.open = true;
  target.scrollIntoView();
};
addEventListener("hashchange", unfold);
document.addEventListener("click", (event) => {
  if (event.target.closest("a")?.hash && event.target.closest("a").hash === location.hash) unfold();
});
unfold();
// A fold that a reader opens is in the address, too.
document.addEventListener("click", (event) => {
  const fold = event.target.closest("summary")?.parentElement;
  if (fold?.id) history.replaceState(null, "", location.pathname + location.search + (fold.open ? "" : `#${fold.id}`));
});

// Charts: one tab stop; arrows move from run to run, Enter opens one.
for (const figure of document.querySelectorAll(".chart")) {
  const marks = figure.querySelector(".marks"), tip = figure.querySelector(".tip");
  const says = (mark, hint = "") => { tip.textContent = mark ? mark.querySelector("title").textContent + hint : ""; };
  const across = (mark) => Number.parseFloat(["x1", "cx", "x"].map((name) => mark.lastElementChild.getAttribute(name)).find(Boolean));
  // In the order of the axis; in the document, the most solid marks are the last, so that nothing covers them.
  const shown = () => [...marks.querySelectorAll("a:not([hidden])")].sort((one, other) => across(one) - across(other));
  const middle = (mark) => {
    const box = (mark.querySelector("circle, rect, path") ?? mark).getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  // A name that is pointed at, else the mark nearest to the pointer: nobody has to hit a point of a few pixels.
  // A finger's first tap shows the run with a link, the second opens it.
  let at = null, tapped = null, isTouch = false;
  const point = (event) => {
    let nearest = NEAR_PX;
    at?.classList.remove("at");
    at = event.target.closest(".name");
    if (!at) for (const mark of marks.querySelectorAll(":scope > :not([hidden])")) {
      const [x, y] = middle(mark), far = Math.hypot(x - event.clientX, y - event.clientY);
      if (far < nearest) [at, nearest] = [mark, far];
    }
    at?.classList.add("at");
    says(at);
    if (!isTouch || !at?.href) return;
    const link = element("a", tip.textContent);
    link.href = at.href.baseVal;
    tip.replaceChildren(link);
  };
  // On the figure: an element of SVG that listens for the focus gets it itself.
  figure.addEventListener("focusin", (event) => {
    const mark = event.target.closest(".marks > *");
    if (mark) says(mark, marks.querySelector("a") ? ". Arrow keys move, Enter opens." : "");
  });
  marks.ownerSVGElement.addEventListener("pointermove", point);
  marks.ownerSVGElement.addEventListener("pointerdown", (event) => {
    isTouch = event.pointerType === "touch";
    tapped = at;
    point(event);
  });
  marks.ownerSVGElement.addEventListener("click", (event) => {
    if (!at?.href || event.detail === 0) return; // Enter opens the link that has the focus
    event.preventDefault();
    if (!isTouch || at === tapped) location.href = at.href.baseVal;
  });
  const up = (mark) => Number.parseFloat(mark.querySelector("circle")?.getAttribute("cy") ?? mark.querySelector("rect")?.getAttribute("y") ?? 100);
  const first = shown().reduce((top, mark) => (top && up(top) <= up(mark) ? top : mark), null); // the largest
  for (const mark of shown()) mark.setAttribute("tabindex", mark === first ? "0" : "-1");
  marks.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const all = shown(), now = all.indexOf(event.target.closest("a"));
    if (!step || now < 0 || !all[now + step]) return;
    event.preventDefault();
    all[now].setAttribute("tabindex", "-1");
    all[now + step].setAttribute("tabindex", "0");
    all[now + step].focus();
  });
}

// Search in a long table, or in folded ones: a fold opens where something is found, and goes where nothing is.
for (const field of document.querySelectorAll("input[data-rows]")) {
  const within = document.getElementById(field.dataset.rows);
  const rows = [...within.querySelectorAll("tbody tr")], folds = [...within.querySelectorAll("details")];
  const rest = within.closest(".scroll")?.parentElement.querySelector(":scope > .rest-of-rows");
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const status = field.closest("p").querySelector("[role=status]");
  field.closest("p").hidden = false;
  const search = () => {
    const words = field.value.toLowerCase().split(/\s+/);
    let found = 0;
    rows.forEach((row, place) => {
      row.hidden = !words.every((word) => texts[place].includes(word));
      found += !row.hidden;
    });
    if (rest) rest.open = field.value.trim() !== ""; // a phone shows all that is found
    for (const fold of folds) {
      fold.hidden = !fold.querySelector("tbody tr:not([hidden])");
      fold.open = !fold.hidden && field.value.trim() !== "";
    }
    status.textContent = found ? `${found.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows` : "Nothing found";
  };
  field.addEventListener("input", () => {
    search();
    keep(field.dataset.rows, field.value.trim());
  });
  field.value = kept.get(field.dataset.rows) ?? "";
  if (field.value) search();
}

// Tables that a reader can sort: a click on a header, once more for the other direction; numbers begin with the
// largest. What is empty stays last.
const amount = (text) => Number.parseFloat(text.replaceAll(",", "").replace(/^[^\d-]+/, ""));
for (const table of document.querySelectorAll("table[data-sortable]")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const key = (row, place) => {
    const text = (row.cells[place].firstChild?.textContent ?? "").trim();
    return heads[place].classList.contains("n") ? amount(text) : text.toLowerCase();
  };
  const isEmpty = (value) => value === "" || Number.isNaN(value);
  heads.forEach((head, place) => {
    const button = element("button", head.textContent, "sort");
    button.type = "button";
    head.replaceChildren(button);
    const sort = (isDown) => {
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
      const sorted = [...body.rows].map((row) => [key(row, place), row]).sort(([a], [b]) =>
        isEmpty(a) - isEmpty(b) || (a < b ? -1 : a > b ? 1 : 0) * (isDown ? -1 : 1));
      body.replaceChildren(...sorted.map(([, row]) => row));
    };
    const name = `sort-${table.id}`;
    button.addEventListener("click", () => {
      const begun = head.classList.contains("n") ? "descending" : "ascending", now = head.getAttribute("aria-sort");
      const isDown = now ? now === "ascending" : begun === "descending";
      sort(isDown);
      keep(name, `${isDown ? "-" : ""}${place + 1}`);
    });
    if (!kept.get(name) && Math.abs(table.dataset.sortable) === place + 1) {
      head.setAttribute("aria-sort", table.dataset.sortable.startsWith("-") ? "descending" : "ascending");
    }
    if (Math.abs(kept.get(name)) === place + 1) sort(kept.get(name).startsWith("-"));
  });
}

// The runs of the first page.
const form = document.getElementById("filters");
if (form) {
  const STEP = Number(form.dataset.shown), table = document.getElementById("all-runs");
  const FEW = 25, few = table.closest(".scroll").nextElementSibling.querySelector("summary"); // as in markup.py
  const fields = form.elements, more = document.getElementById("more"), count = document.getElementById("count");
  const NAMES = ["q", "organisation", "country", "year", "hardware", "domain", "solidity", "sort"];
  // As pipelines/ote/answers/names.py matches names: without spaces and punctuation, from the beginning of a word.
  const plain = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");
  const fromEachWord = (text) => [...text.matchAll(/[\p{L}\p{N}]+/gu)].map(({ index }) => plain(text.slice(index)));
  const hasWord = (run, word) => run.texts.some((text) => text.startsWith(word));
  const state = () => Object.fromEntries(NAMES.map((name) => [name, fields[name].value.trim()]));
  let runs = null, loading = null, wanted = [], visible = STEP;

  const load = () => {
    loading ??= fetch("runs.json").then((answer) => {
      if (!answer.ok) throw new Error(`runs.json: ${answer.status}`);
      return answer.json();
    }).then((all) => {
      runs = all;
      for (const run of runs) run.texts = [run.model, run.id, ...run.of, run.hardware, run.year].flatMap(fromEachWord);
      const names = new Set(runs.flatMap((run) => run.of));
      fields.organisation.list.replaceChildren(...[...names].sort().map((name) => {
        const option = element("option");
        option.value = name;
        return option;
      }));
      draw();
    }).catch((error) => {
      loading = null;
      count.textContent = `The other runs could not be loaded (${error.message}). Serve the folder with: ote site`;
    });
    return loading;
  };

  const SVG = "http://www.w3.org/2000/svg";
  const svg = (name, attributes) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  const label = (run) => `${run.model}: ${[run.covers, run.energy, run.energy_span].filter(Boolean).join(", ")} (${run.solidity})`;
  const mark = (run) => {
    const [x, y, low, high] = run.at;
    const link = svg("a", { href: `run/${run.id}.html`, class: run.solidity, tabindex: "-1" });
    const title = svg("title", {});
    title.textContent = label(run);
    link.append(title, svg("line", { class: "interval", x1: `${x}%`, x2: `${x}%`, y1: `${low}%`, y2: `${high}%` }));
    if (y > 92) link.appendChild(svg("svg", { x: `${x}%`, y: `${y}%`, "aria-hidden": "true" })).append(svg("path", { d: "M-5-5h10l-5 8z" }));
    else if (y !== null && run.solidity === "measured") link.append(svg("rect", { x: `${x}%`, y: `${y}%`, width: 8, height: 8 }));
    else if (y !== null) link.append(svg("circle", { cx: `${x}%`, cy: `${y}%`, r: 4 }));
    return link;
  };
  const SOLIDITY = ["guessed", "inferred", "disclosed", "measured"]; // the last is on top
  const draw = () => {
    const marks = document.querySelector("#over-time .marks");
    for (const gone of document.querySelectorAll("#over-time :is(.rest, .faint)")) gone.classList.add("gone");
    const dated = runs.filter((run) => run.at).sort((one, other) => SOLIDITY.indexOf(one.solidity) - SOLIDITY.indexOf(other.solidity));
    for (const run of dated) run.mark = mark(run);
    marks.replaceChildren(...dated.map((run) => run.mark));
  };

  const cell = (row, text, small, kind = "") => {
    const made = row.appendChild(element("td", text, kind));
    if (small !== undefined) made.append(element("small", small));
  };
  const row = (run) => {
    const made = element("tr"), head = made.appendChild(element("th"));
    head.scope = "row";
    const link = head.appendChild(element("a", run.model));
    link.href = `run/${run.id}.html`;
    if (run.covers) head.append(element("small", run.covers, "covers"));
    const thin = element("small", `${run.who} `, "thin");
    thin.append(element("span", run.solidity, `solid ${run.solidity}`));
    head.append(thin);
    cell(made, run.organisations, undefined, "wide");
    cell(made, run.year, undefined, "wide");
    cell(made, run.hardware, undefined, "wide");
    cell(made, run.energy, run.energy_span, "n");
    cell(made, run.tonnes, run.tonnes_span, "n");
    made.appendChild(element("td", "", "wide")).append(element("span", run.solidity, `solid ${run.solidity}`));
    return made;
  };

  // The words side by side, if they begin a word of any name; else each of them anywhere.
  const sought = (q) => (runs.some((run) => hasWord(run, plain(q))) ? [plain(q)] : q.split(/\s+/).map(plain));
  // An organisation by its name, if any has that name; else by a part of it.
  const isOf = (part) => {
    const wanted = part.toLowerCase(), isName = (name) => name.toLowerCase() === wanted;
    return runs.some((run) => run.of.some(isName)) ? isName : (name) => name.toLowerCase().includes(wanted);
  };
  const matches = (run, s, words, isWanted) =>
    words.every((word) => hasWord(run, word)) && (!s.organisation || run.of.some(isWanted)) &&
    (!s.country || run.countries.includes(s.country)) && (!s.year || run.year === s.year) &&
    (!s.hardware || run.hardware_id === s.hardware) && (!s.domain || run.domains.includes(s.domain)) &&
    (!s.solidity || run.solidity === s.solidity);
  const down = (value) => (value === null ? Infinity : -value);
  const ORDERS = {
    "": () => 0, // as the file has them
    tonnes: (run) => down(run.t[0]),
    new: (run) => (run.published ? -Date.parse(run.published) : Infinity),
    sure: (run) => run.mwh[2] / run.mwh[1],
    name: (run) => run.model.toLowerCase(),
  };
  const isNamed = (run, q) => plain(run.model.replace(/\s*\([^()]*\)$/, "")) === q; // but for size or edition in brackets
  const compare = (order, q) => (one, other) => {
    const [a, b] = [order(one), order(other)];
    const named = isNamed(other, q) - isNamed(one, q);
    return named || one.last - other.last || (a < b ? -1 : a > b ? 1 : 0); // limits and guesses are never first
  };

  const show = () => {
    const s = state();
    const words = sought(s.q), isWanted = isOf(s.organisation), before = table.tBodies[0].rows;
    wanted = runs.filter((run) => matches(run, s, words, isWanted)).sort(compare(ORDERS[s.sort] ?? ORDERS[""], plain(s.q) || null));
    const ids = wanted.slice(0, visible).map((run) => run.id);
    // Rows that are there stay where they are: more of them move nothing.
    const kept = [...before].every((one, place) => one.querySelector("a").getAttribute("href") === `run/${ids[place]}.html`) ? before.length : 0;
    if (!kept) table.tBodies[0].replaceChildren();
    table.tBodies[0].append(...wanted.slice(kept, visible).map(row));
    document.getElementById("over-time").classList.toggle("crowd", wanted.length > CROWD);
    const all = new Set(wanted), names = new Set(wanted.map((run) => run.id));
    for (const run of runs) if (run.mark) run.mark.toggleAttribute("hidden", !all.has(run));
    for (const name of document.querySelectorAll("#over-time .name")) name.toggleAttribute("hidden", !names.has(name.dataset.run));
    for (const says of document.querySelectorAll("#over-time .legend .solid")) {
      const of = wanted.filter((run) => run.mark && (says.classList.contains("below") ? run.at[1] > 92 : says.classList.contains(run.solidity)));
      says.classList.toggle("gone", of.length === 0);
      if (says.classList.contains("below")) says.textContent = says.textContent.replace(/\([^)]*\)/, `(${of.length} run${of.length === 1 ? "" : "s"})`);
    }
    const first = wanted.find((run) => run.mark);
    for (const run of runs) if (run.mark) run.mark.setAttribute("tabindex", run === first ? "0" : "-1");
    const listed = Math.min(visible, wanted.length), left = wanted.length - listed;
    more.hidden = left === 0;
    more.textContent = `Show ${Math.min(STEP, left)} more`;
    few.textContent = `Show ${Math.max(listed - FEW, 0)} more`;
    document.getElementById("again").hidden = wanted.length > 0;
    count.textContent = wanted.length === 0 ? `Nothing found in ${runs.length.toLocaleString("en")} runs. ` : `${wanted.length.toLocaleString("en")} of ${runs.length.toLocaleString("en")} runs${left ? `, the first ${listed.toLocaleString("en")} shown` : ""}; ${form.dataset.last}`;
  };
  const update = async () => {
    const given = Object.entries({ ...state(), rows: visible > STEP ? visible : "" }).filter(([, value]) => value);
    const address = given.length ? `?${new URLSearchParams(given)}` : location.pathname;
    history.replaceState(null, "", address + location.hash);
    await load();
    if (runs) show();
  };

  // A text that a spreadsheet would take for a formula has an apostrophe in front, as in the CSV of a release.
  const quoted = (value) => {
    const text = value === null || value === undefined ? "" : String(value);
    return `"${(typeof value === "string" && /^[=+\-@\t']/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  };
  const csv = () => {
    const ends = (name) => [name, `${name}_p05`, `${name}_p95`];
    const header = ["run_id", "model", "organisations", "published", "hardware_id", "covers", "solidity", ...ends("energy_mwh"), ...ends("co2e_lifecycle_t")];
    const lines = wanted.map((run) => [run.id, run.model, run.of.join(";"), run.published, run.hardware_id, run.covers || "one whole run", run.solidity, ...run.mwh, ...run.t]);
    const link = element("a");
    link.href = URL.createObjectURL(new Blob([[header, ...lines].map((line) => line.map(quoted).join(",")).join("\r\n") + "\r\n"], { type: "text/csv" }));
    link.download = "training-runs.csv";
    link.click();
    URL.revokeObjectURL(link.href);
  };

  const given = new URLSearchParams(location.search);
  for (const name of NAMES) if (given.has(name)) fields[name].value = given.get(name);
  const isNarrow = matchMedia("(max-width: 44rem)").matches; // a phone shows the search alone at first
  form.querySelector("details").open = !isNarrow || NAMES.some((name) => name !== "q" && given.get(name));
  form.hidden = false;
  more.hidden = Number(form.dataset.all) <= STEP;
  more.textContent = `Show ${Math.min(STEP, Number(form.dataset.all) - STEP)} more`;
  form.addEventListener("focusin", load, { once: true });
  form.addEventListener("input", () => { visible = STEP; update(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => { visible = STEP; setTimeout(update); });
  fields.csv.addEventListener("click", async () => { await update(); if (runs) csv(); });
  more.addEventListener("click", async () => {
    const there = table.tBodies[0].rows.length;
    visible += STEP;
    await update();
    if (more.hidden) table.tBodies[0].rows[there]?.querySelector("a").focus(); // the button was the place of the keyboard
  });
  const rows = Number(given.get("rows"));
  if (rows > STEP) visible = Math.ceil(rows / STEP) * STEP;
  if (visible > STEP || NAMES.some((name) => given.get(name))) update();
}

// A button that copies a text, such as an entry for a list of references.
for (const text of document.querySelectorAll("pre[data-copy]")) {
  const button = element("button", "Copy");
  button.type = "button";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = "Copied";
  });
  text.after(button);
}
