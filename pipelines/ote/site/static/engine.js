// The query engine of a page: DuckDB in a worker, with the database of the release. Both come from this site, when
// the first question is asked. Results leave DuckDB as CSV, so that nothing else is needed to read them.

export const MOST_ROWS = 10_000; // of a result

const DATABASE = "dataset.duckdb", RESULT = "result.csv";
// Nothing is fetched from elsewhere; then, no query reads a file or an address.
const ALONE = "set autoload_known_extensions = false; set autoinstall_known_extensions = false";
const CLOSED = `set allowed_paths = ['${RESULT}', 'tmp_${RESULT}']; set enable_external_access = false; set lock_configuration = true`;

const NO_ANSWERS = new Set(["INSTANTIATE_PROGRESS", "PROGRESS_UPDATE", "LOG"]); // messages that answer nothing
const NO_ROWS = "Only a query that returns rows can be run here, such as SELECT or DESCRIBE.";

/** A question that DuckDB refuses, in its words. */
export class RefusedError extends Error {}

/** What DuckDB says, in the words of this page where it speaks of files or extensions, which a query has no use of here. */
function plain(message) {
  const [, name, extension] = /with name "?(\w+)"? is not in the catalog, but it exists in the (\w+) extension/.exec(message) ?? [];
  if (name) return `${name} is part of the extension ${extension} of DuckDB, which this page does not load.`;
  if (message.startsWith("Permission Error: Cannot access")) return "A query here reads the tables of the dataset alone: no files and no addresses.";
  return message.replace(/\n+/g, "\n").replace(/(\nLINE \d+:[^]*)\1$/, "$1"); // the line may come twice
}

/** A cell as SQL takes it: text in quotes, or null. */
export const literal = (text) => (text === null ? "null" : `'${text.replaceAll("'", "''")}'`);

/** The rows of a CSV text of DuckDB, of which every cell that is not null is quoted. */
export function parseCsv(text) {
  const cell = /(?:"([^"]*(?:""[^"]*)*)"|([^",\n]*))(,|\n|$)/y;
  const rows = [];
  let row = [];
  while (cell.lastIndex < text.length) {
    const [, quoted, bare, end] = cell.exec(text);
    row.push(quoted === undefined ? bare || null : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

/** DuckDB, ready for questions; `start` makes one. */
export class Engine {
  #worker;
  #connection;
  #waiting = new Map();
  #sent = 0;

  /** Load DuckDB and the database at an address. */
  static async start(database) {
    const engine = new Engine();
    try {
      const [bytes] = await Promise.all([download(database), engine.#load()]);
      await engine.#send("REGISTER_FILE_BUFFER", [DATABASE, bytes], [bytes.buffer]);
      await engine.run(ALONE);
      await engine.run(`attach '${DATABASE}' as dataset (read_only)`);
      return engine;
    } catch (error) {
      engine.stop();
      throw error;
    }
  }

  async #load() {
    this.#worker = new Worker(new URL("engine-worker.js", import.meta.url));
    this.#worker.addEventListener("message", ({ data }) => this.#receive(data));
    this.#worker.addEventListener("error", (event) => this.#fail(event.message || "its worker could not be loaded"));
    await this.#send("INSTANTIATE", [new URL("../engine/duckdb.bin", import.meta.url).href, null]);
    await this.#send("OPEN", { path: ":memory:" });
    this.#connection = await this.#send("CONNECT", null);
  }

  /** Let no query reach a file, an address or a setting from now on. */
  close() {
    return this.run(CLOSED);
  }

  /** Run statements whose results are not needed. */
  run(sql) {
    return this.#send("RUN_QUERY", [this.#connection, sql]);
  }

  /** A text as a file that queries can read. */
  file(name, text) {
    const bytes = new TextEncoder().encode(text);
    return this.#send("REGISTER_FILE_BUFFER", [name, bytes], [bytes.buffer]);
  }

  /** The result of one query: names and types of its columns, and its rows as text, null where a value is null. */
  async rows(sql, most = MOST_ROWS) {
    const query = sql.trim().replace(/;\s*$/, "");
    // DuckDB reports errors by the lines of the query as it was written, before it is put into others.
    await this.#send("CLOSE_PREPARED", [this.#connection, await this.#send("CREATE_PREPARED", [this.#connection, query])]);
    const columns = await this.#table(`select column_name, column_type from (describe from (\n${query}\n))`);
    const rows = await this.#table(`from (\n${query}\n) limit ${most + 1}`);
    return {
      names: columns.map(([name]) => name),
      types: columns.map(([, type]) => type),
      rows: rows.slice(0, most),
      isCut: rows.length > most,
    };
  }

  async #table(query) {
    try {
      await this.run(`copy (${query}) to '${RESULT}' (format csv, header false, force_quote *)`);
    } catch (error) {
      throw error.message.startsWith("Parser Error") ? new RefusedError(NO_ROWS) : error;
    }
    const bytes = await this.#send("COPY_FILE_TO_BUFFER", RESULT);
    await this.#send("DROP_FILE", RESULT); // a file that is there is not written anew
    return parseCsv(new TextDecoder().decode(bytes));
  }

  /** End it; what it was asked is refused. */
  stop(reason = "it was stopped") {
    this.#worker?.terminate();
    this.#fail(reason);
  }

  #fail(reason) {
    for (const [, refuse] of this.#waiting.values()) refuse(new Error(reason));
    this.#waiting.clear();
  }

  #receive({ requestId, type, data }) {
    if (NO_ANSWERS.has(type)) return;
    if (type === "BROKEN") this.#fail(data);
    const [accept, refuse] = this.#waiting.get(requestId) ?? [];
    this.#waiting.delete(requestId);
    if (type === "ERROR") refuse?.(new RefusedError(plain(data.message)));
    else accept?.(data);
  }

  #send(type, data, moved = []) {
    return new Promise((accept, refuse) => {
      this.#waiting.set(this.#sent, [accept, refuse]);
      this.#worker.postMessage({ messageId: this.#sent++, type, data }, moved);
    });
  }
}

async function download(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}
