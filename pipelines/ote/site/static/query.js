// The page Query: one question in SQL, its answer as a table and as CSV, and an address that holds the question.

import { csv, reasonOf, save, Shared, table } from "./questions.js";

const form = document.getElementById("question"), sql = form.elements.sql, { stop, file } = form.elements;
const status = document.getElementById("status"), answer = document.getElementById("answer");
const shared = new Shared(form.dataset.database, async (engine) => {
  await engine.run("use dataset");
  await engine.close();
});
let asked = 0, result = null;

const counted = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

async function ask() {
  const number = ++asked, question = sql.value;
  history.replaceState(null, "", `?${new URLSearchParams({ sql: question })}`);
  stop.hidden = false;
  file.hidden = true;
  status.textContent = shared.isLoaded ? "Running …" : `Loading DuckDB and the data (${form.dataset.size}) …`;
  try {
    const engine = await shared.use(), begin = performance.now();
    if (number === asked) status.textContent = "Running …";
    const found = await shared.inTurn(() => (number === asked ? engine.rows(question) : null));
    if (number !== asked) return;
    result = found;
    const cut = found.isCut ? `; the query has more, add a limit or count them` : "";
    status.textContent = `${counted(found.rows.length, "row")} in ${((performance.now() - begin) / 1000).toFixed(2)} s${cut}.`;
    answer.replaceChildren(table(found, "Result"));
    file.hidden = false;
  } catch (error) {
    if (number !== asked) return;
    status.textContent = reasonOf(error);
    answer.replaceChildren();
  } finally {
    if (number === asked) stop.hidden = true;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
sql.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask();
});
stop.addEventListener("click", () => {
  asked++;
  shared.stop();
  stop.hidden = true;
  status.textContent = "Stopped. The next query loads the engine again.";
});
file.addEventListener("click", () => save("query.csv", csv(result), "text/csv"));
for (const button of document.querySelectorAll("[data-example]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    sql.value = document.getElementById(button.dataset.example).textContent;
    ask();
    sql.scrollIntoView();
    sql.focus();
  });
}

sql.value = new URLSearchParams(location.search).get("sql") ?? document.querySelector("pre[id]").textContent;
if (location.search) status.textContent = "The query is filled in from the address. Press Run.";
form.hidden = false;
