// Makes superjson_golden.jsonl with the npm package, or compares what Python wrote with what the package reads.
//
//     node tests/twist/superjson_golden.mjs                write the golden file
//     node tests/twist/superjson_golden.mjs check FILE     FILE: lines like the golden's, with Python's texts
//
// A line is [description, text] or [description, text, true]; true: what is shared is marked in the text, or a
// set is in an order of its own, so that Python writes another text. A description is the value, in JSON, with an
// array [tag, ...] where JSON has no such value, and ["list", ...items] for a list.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";

const PACKAGE = "superjson@2.2.6";
const here = dirname(fileURLToPath(import.meta.url));

async function load() {
  const directory = mkdtempSync(join(tmpdir(), "superjson-"));
  execFileSync("npm", ["install", "--silent", "--no-save", "--prefix", directory, PACKAGE], { stdio: "inherit" });
  const module = await import(pathToFileURL(join(directory, "node_modules/superjson/dist/index.js")));
  return module.SuperJSON;
}

function fromBits(hex) {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(`0x${hex}`));
  return view.getFloat64(0);
}

function toBits(number) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, number);
  return view.getBigUint64(0).toString(16).padStart(16, "0");
}

// The value of a description. `named` keeps what ["def", name, ...] made for ["ref", name].
function build(description, named = new Map()) {
  if (description === null || typeof description !== "object") return description;
  if (!Array.isArray(description)) {
    const object = {};
    for (const [key, value] of Object.entries(description)) object[key] = build(value, named);
    return object;
  }
  const [tag, ...rest] = description;
  switch (tag) {
    case "list": return rest.map((item) => build(item, named));
    case "set": return new Set(rest.map((item) => build(item, named)));
    case "map": return new Map(rest.map(([key, value]) => [build(key, named), build(value, named)]));
    case "date": return new Date(rest[0]);
    case "bigint": return BigInt(rest[0]);
    case "bits": return fromBits(rest[0]);
    case "undefined": return undefined;
    case "url": return new URL(rest[0]);
    case "regexp": return new RegExp(rest[0], rest[1]);
    case "error": {
      const error = rest.length > 2
        ? new Error(rest[1], { cause: build(rest[2], named) })
        : new Error(rest[1]);
      error.name = rest[0];
      return error;
    }
    case "def": {
      const value = build(rest[1], named);
      named.set(rest[0], value);
      return value;
    }
    case "ref": return named.get(rest[0]);
    default: throw new Error(`unknown tag ${tag}`);
  }
}

// mulberry32: the same values each time.
let state = 20240607;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (limit) => Math.floor(random() * limit);
const pick = (items) => items[below(items.length)];
const times = (count, make) => Array.from({ length: count }, make);

const PIECES = [
  "a", "b", "key", "name", "when", "x.y", ".", "\\", "\\.", "\\\\", "/", "\"", "'", "\n", "\u0000", "\u001f", "\u007f",
  "\u0080", "\u2028", "\u2029", "\ufeff", "é", "ß", "漢字", "😀", "\ud83d", "\ude00", "\ud800x", "0", "1", "01", "-1", "10", "4294967294",
  "4294967295", "9007199254740993", "1.5", "toString", "length", "json", "meta", "values", " ", "<script>", "\t", "\b\f\r",
];
const text = () => (random() < 0.1 ? "" : times(1 + below(3), () => pick(PIECES)).join(""));
const key = () => (random() < 0.25 ? String(below(30)) : random() < 0.4 ? pick(PIECES) : text());

function number() {
  const kind = below(7);
  if (kind === 0) return below(2000) - 1000;
  if (kind === 1) return Number((random() * 1000 - 500).toFixed(below(6)));
  if (kind === 2) return (random() - 0.5) * 10 ** (below(60) - 30);
  if (kind === 3) return Math.round((random() - 0.5) * 2 ** (40 + below(40)));
  if (kind === 4) return pick([2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1e15, 1e16, 1e20, 1e21, 1e22, 1e-4, 1e-5, 1e-6, 1e-7]);
  if (kind === 5) return 10 ** (below(45) - 22) * (1 + below(9));
  let drawn;
  do drawn = fromBits(times(16, () => below(16).toString(16)).join(""));
  while (!Number.isFinite(drawn));
  return drawn;
}

const bits = () => ["bits", toBits(number())];
const odd = () => ["bits", toBits(pick([NaN, Infinity, -Infinity, -0]))];
const date = () => ["date", pick([
  () => Math.floor(random() * 4e12) - 1e12,
  () => Math.floor(random() * 253402300799999 + random() * 62135596800000) - 62135596800000,
  () => pick([0, -1, 999, 951782400000, 253402300799999, -62135596800000]),
])()];
const bigint = () => ["bigint", String((random() < 0.5 ? -1n : 1n) * (2n ** 53n + BigInt(below(2 ** 31)) ** BigInt(1 + below(6))))];
const SOURCES = [
  "abc", "", "a/b", "[/]", "a[^/]b/", "\\/", "\\d+\\.\\d{2,}", "^\\s*$", "(?<year>\\d{4})-\\k<year>", "(?=a)b(?!c)", "(?<=a)b",
  "(?<!a)b", "[\\]/]x/", "\\[/", "é|漢", "\"quoted\"", "a|b", "(?:x)*?", "\\\\", "\n", "a\r\u2028", "[\n]", "(a)(b)\\1",
];
const regexp = () => ["regexp", pick(SOURCES), pick(["", "i", "m", "s", "im", "ims"])];
const URLS = [
  "https://example.com", "https://example.com/a/b?c=d#e", "http://EXAMPLE.com:80/", "https://user:pass@example.com:8443/x",
  "https://example.com/a b/ü?q=ü&r='x'#ü `", "https://example.com/a/../b/./c/..", "mailto:someone@example.com", "https://[::1]:3000/",
  "wss://example.com", "https://example.com/?", "https://example.com/#", "data:text/plain,hi", "https://example.com/%7Efoo/%zz",
  "file:///etc/hosts", "https://bücher.example/", "https://example.com\\x\\y", "https://example.com/{a}|^[b]`\"<>?{a}|^[b]`<>", "ftp://h:21/x",
  "https://example.com/%2e%2E/a", "urn:isbn:0451450523", "https://example.com:/", " https://example.com/ ", "https://example.com?x#y",
];
const url = () => ["url", pick(URLS)];
const NAMES = ["Error", "TypeError", "RangeError", "ValueError", "KeyError", "Custom", "", "OSError", "TimeoutError"];
const error = (depth) => ["error", pick(NAMES), text(), ...(depth > 0 && random() < 0.4 ? [pick([() => error(depth - 1), date, text])()] : [])];

function leaf() {
  return pick([text, text, bits, bits, () => pick([true, false, null]), date, odd, bigint, () => ["undefined"], regexp, url])();
}

function object(depth) {
  return Object.fromEntries(times(below(5), () => [key(), any(depth - 1)]).filter(([k]) => k !== "__proto__"));
}

// Keys of a Map and members of a Set that are distinct in Python too.
function distinct(count) {
  const found = new Map();
  for (let i = 0; i < count; i++) {
    const drawn = pick([text, text, () => ["bits", toBits(below(90) + 2)], date, () => ["list", text(), ["bits", toBits(below(9))]]])();
    found.set(JSON.stringify(drawn), drawn);
  }
  return [...found.values()];
}

// In the order Python writes: numbers by value, then the others by their text.
function ordered(members) {
  const numbers = members.filter((m) => m[0] === "bits").sort((a, b) => fromBits(a[1]) - fromBits(b[1]));
  return numbers.length === members.length ? numbers : numbers.concat(members.filter((m) => m[0] !== "bits").slice(0, 1));
}

function any(depth) {
  if (depth <= 0 || random() < 0.25) return leaf();
  return pick([
    () => object(depth), () => object(depth), () => ["list", ...times(below(5), () => any(depth - 1))],
    () => ["map", ...distinct(below(4)).map((k) => [k, any(depth - 1)])],
    () => ["set", ...ordered(distinct(below(5)))],
    () => error(2),
  ])();
}

function shared() {
  const inner = random() < 0.5 ? date() : { a: any(1), "b.c": date(), deep: { x: ["list", any(1)] } };
  const places = [() => ({ at: ["ref", "o"] }), () => ["list", 1, ["ref", "o"]], () => ["ref", "o"], () => ["map", [["list", 1], ["ref", "o"]]]];
  const rest = Object.fromEntries(times(1 + below(3), (_, i) => [pick(["r", "s.t", "u\\"]) + i, pick(places)()]));
  return random() < 0.5 ? { first: ["def", "o", inner], ...rest } : ["list", { deep: { first: ["def", "o", inner] } }, rest, any(1)];
}

function write(SuperJSON) {
  const plain = new SuperJSON();
  const dedupe = new SuperJSON({ dedupe: true });
  const lines = [];
  const seen = new Set();
  const add = (description, writer = plain, limit = 420) => {
    const written = writer.stringify(build(description));
    const line = JSON.stringify(written.includes('"referentialEqualities"') ? [description, written, true] : [description, written]);
    if (seen.has(line) || line.length > limit) return;
    seen.add(line);
    lines.push(line);
  };
  for (const piece of PIECES) add({ [piece]: ["date", 0], a: { [piece]: ["undefined"] } });
  for (const source of SOURCES) for (const flags of ["", "ims"]) add(["regexp", source, flags]);
  for (const one of URLS) add(["url", one]);
  for (const name of NAMES) add(["error", name, "what happened"]);
  for (let i = 0; i < 60; i++) add(["list", ...times(25, bits)], plain, 2000);
  for (const make of [odd, date, bigint, () => error(3), text]) for (let i = 0; i < 40; i++) add(make());
  const nested = (depth) => ["set", depth ? nested(depth - 1) : ["list", ["undefined"], 1]];
  add(nested(6));
  for (let i = 0; i < 100; i++) add(shared(), plain, 600);
  for (let i = 0; i < 100; i++) add(shared(), dedupe, 600);
  let size = lines.join("\n").length;
  while (size < 380_000) {
    const before = lines.length;
    add(any(1 + below(3)), plain, 250);
    if (lines.length > before) size += lines.at(-1).length + 1;
  }
  writeFileSync(join(here, "superjson_golden.jsonl"), `${lines.join("\n")}\n`);
  console.log(`${lines.length} values, ${Buffer.byteLength(lines.join("\n"))} bytes, ${PACKAGE}`);
}

// RegExps and URLs have no enumerable fields that isDeepStrictEqual compares.
function comparable(value) {
  if (value instanceof URL) return ["URL", value.href];
  if (value instanceof RegExp) return ["RegExp", String(value)];
  if (value instanceof Error) return ["Error", value.name, value.message, comparable(value.cause)];
  if (value instanceof Map) return new Map([...value].map(([k, v]) => [comparable(k), comparable(v)]));
  if (value instanceof Set) return new Set([...value].map(comparable));
  if (Array.isArray(value)) return value.map(comparable);
  if (value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, comparable(v)]));
  }
  return value;
}

function check(SuperJSON, file) {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  let wrong = 0;
  for (const line of lines) {
    const [description, written] = JSON.parse(line);
    if (!isDeepStrictEqual(comparable(SuperJSON.parse(written)), comparable(build(description)))) {
      wrong += 1;
      console.log(`differs: ${line}`);
    }
  }
  console.log(`${lines.length} texts of Python's read, ${wrong} differ`);
  process.exitCode = wrong ? 1 : 0;
}

const SuperJSON = await load();
if (process.argv[2] === "check") check(SuperJSON, process.argv[3]);
else write(SuperJSON);
