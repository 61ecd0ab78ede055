"use strict";
// DuckDB in a worker. Its module is stored compressed, as not every web server compresses, and is unpacked here.
const fetchAsItIs = self.fetch.bind(self);
self.fetch = async (request) => {
  const answer = await fetchAsItIs(request);
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
  const unpacked = answer.body.pipeThrough(new DecompressionStream("gzip"));
  return new Response(unpacked, { headers: { "Content-Type": "application/wasm" } });
};
// DuckDB does not report a module that it cannot load: without this the page would wait for ever.
self.addEventListener("unhandledrejection", (event) => self.postMessage({ type: "BROKEN", data: String(event.reason?.message ?? event.reason) }));
// DuckDB warns of each file that it makes, such as that of a result.
const warn = console.warn.bind(console);
console.warn = (...says) => String(says[0]).startsWith("Buffering missing file") || warn(...says);
importScripts("../engine/duckdb.js");
