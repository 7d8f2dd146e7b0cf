// `make golden` runs this: the values of the golden file, written by the npm package, and what Python wrote, read by it.
//
//     node tests/twist/superjson_golden.mjs FILE      with the package of labextension's lock file
//
// It writes superjson_golden.jsonl.gz: 10,000 lines [description, text], [description, text, "otherwise"] or
// [description, text, "refused"]. A description is the value, in JSON, with an array [tag, ...] where JSON has no such
// value, and ["list", ...items] for a list. "otherwise": Python writes another text, for what is shared is marked in
// this one, a set is in an order of its own, or a cause is null. "refused": Python has no such value, and says so.
//
// And superjson_python.jsonl.gz, from FILE with a line [description, text] for each value that superjson_drawn.py drew
// and Python wrote: the same lines, if the package reads every text as the value described and writes it again as it was.
// Where its text has more to it (see `unmarked`), that comes third.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { gunzipSync, gzipSync } from "node:zlib";

import { SuperJSON } from "../../labextension/node_modules/superjson/dist/index.js";

const COUNT = 10_000;
const here = dirname(fileURLToPath(import.meta.url));

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
    case "bytes": return Uint8Array.from(rest);
    case "around": {
      const around = { inner: {} };
      around.inner.self = around;
      return around;
    }
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
const error = (depth) => ["error", pick(NAMES), text(), ...(depth > 0 && random() < 0.4 ? [pick([() => error(depth - 1), date, text, url])()] : [])];

function leaf() {
  return pick([text, text, bits, bits, () => pick([true, false, null]), date, odd, bigint, () => ["undefined"], regexp, url])();
}

function object(depth) {
  return Object.fromEntries(times(below(5), () => [key(), any(depth - 1)]).filter(([k]) => k !== "__proto__"));
}

// Keys of a Map and members of a Set that are distinct in Python too: 1 and true are not.
const MEMBERS = [
  text, text, () => ["bits", toBits(below(90) + 2)], date, bigint, () => ["list", text(), ["bits", toBits(below(9))]],
  () => ["undefined"], () => pick([null, true, false]), regexp, url, () => ["set", text()], () => ["bits", toBits(pick([Infinity, -Infinity]))],
  () => ["list", odd(), ["undefined"], bigint()],
];
function distinct(count, makers = MEMBERS) {
  const found = new Map();
  for (let i = 0; i < count; i++) {
    const drawn = pick(makers)();
    const tag = drawn?.[0];
    found.set(tag === "url" || tag === "regexp" ? String(build(drawn)) : JSON.stringify(drawn), drawn);
  }
  return [...found.values()];
}

// In the order Python writes: numbers by value, then the others by their text.
function ordered(members) {
  const isNumber = (member) => member?.[0] === "bits" && Number.isFinite(fromBits(member[1]));
  const numbers = members.filter(isNumber).sort((a, b) => fromBits(a[1]) - fromBits(b[1]));
  return [...numbers, ...members.filter((member) => !isNumber(member)).slice(0, 1)];
}
const NUMBERS_AND_TEXTS = [text, () => ["bits", toBits(below(90) + 2)], () => ["bits", toBits(below(90) + 2)]];
const set = () => ["set", ...ordered(distinct(below(5), pick([NUMBERS_AND_TEXTS, NUMBERS_AND_TEXTS, MEMBERS])))];
const map = (depth) => ["map", ...distinct(below(4)).map((k) => [k, any(depth - 1)])];

function any(depth) {
  if (depth <= 0 || random() < 0.25) return leaf();
  return pick([
    () => object(depth), () => object(depth), () => ["list", ...times(below(5), () => any(depth - 1))],
    () => map(depth), set, () => error(2),
  ])();
}

const LISTS_AND_OBJECTS = [(value) => ["list", value], (value) => ({ [key()]: value })];
const EVERY_KIND = [...LISTS_AND_OBJECTS, (value) => ["map", [text(), value]], (value) => ["error", "Error", "", ["list", value]]];
function deep(levels, value, kinds = EVERY_KIND) {
  return levels ? deep(levels - 1, pick(kinds)(value), kinds) : value;
}

function shared() {
  const inner = pick([date, url, () => ["list"], () => ({}), set, () => map(1), () => error(0), () => ({ a: any(1), "b.c": date(), deep: { x: ["list", any(1)] } })])();
  const places = [() => ({ at: ["ref", "o"] }), () => ["list", 1, ["ref", "o"]], () => ["ref", "o"], () => ["map", [["list", 1], ["ref", "o"]]],
    () => ["error", "Error", "why", ["ref", "o"]], () => ({ "p.q": { "r\\": ["list", ["ref", "o"], ["ref", "o"]] } })];
  const rest = Object.fromEntries(times(1 + below(3), (_, i) => [pick(["r", "s.t", "u\\"]) + i, pick(places)()]));
  return random() < 0.5 ? { first: ["def", "o", inner], ...rest } : ["list", { deep: { first: ["def", "o", inner] } }, rest, any(1)];
}

const REFUSED = [
  ["around"], ["list", ["around"]], ["bytes"], { data: ["bytes", 1, 2, 255] },
  ["set", {}], ["set", ["list", {}]], ["set", ["map", [1, 2]]], ["map", [{}, 1]], ["map", [["map"], 1]],
  ["set", 1, true], ["set", 0, false, 5], ["map", [true, 1], [1, 2]], ["set", ["list", 1], ["list", 1]], ["set", ["date", 5], ["date", 5]],
  ["date", 253402300800000], ["date", -62135596800001], ["date", 8.64e15],
  ["regexp", "\\p{L}", "u"], ["regexp", "(?<=a+)b", ""], ["regexp", "\\cA", ""],
  ["list", ["set", { a: 1 }]],
];

// In Python an Error whose cause is nothing has no cause.
const OTHERWISE = [["error", "Error", "x", ["undefined"]], ["error", "Error", "x", null], ["list", ["error", "E", "", ["error", "E", "", null]]]];

function write() {
  const plain = new SuperJSON();
  const dedupe = new SuperJSON({ dedupe: true });
  const lines = [];
  const seen = new Set();
  const add = (description, { writer = plain, limit = 420, mark = "" } = {}) => {
    const written = writer.stringify(build(description));
    const marked = mark || (written.includes('"referentialEqualities"') ? "otherwise" : "");
    const line = JSON.stringify(marked ? [description, written, marked] : [description, written]);
    if (seen.has(line) || line.length > limit) return;
    seen.add(line);
    lines.push(line);
  };
  const adding = (count, make, options) => {
    const enough = lines.length + count;
    while (lines.length < enough) add(make(), options);
  };
  for (const description of REFUSED) add(description, { mark: "refused" });
  for (const description of OTHERWISE) add(description, { mark: "otherwise" });
  for (const piece of PIECES) add({ [piece]: ["date", 0], a: { [piece]: ["undefined"] } });
  for (const source of SOURCES) for (const flags of ["", "i", "m", "s", "ims"]) add(["regexp", source, flags]);
  for (const one of URLS) add(["url", one]);
  for (const name of NAMES) add(["error", name, "what happened"]);
  for (const one of [0, true, false, null, "", ["list"], {}, ["set"], ["map"], ["undefined"], ["bits", toBits(NaN)], ["bits", toBits(-0)]]) {
    add(one);
    add(["list", ["map", ["", one]], ["error", "Error", "", ["list", one]], ["list", one, one]]);
    add({ "": one, ".": ["list", one] });
  }
  adding(100, () => ["list", ...times(25, bits)], { limit: 2000 });
  for (const make of [date, bigint, () => error(3), text]) adding(200, make);
  adding(60, () => deep(10 + below(30), leaf()), { limit: 4000 });
  for (const last of [["list"], ["undefined"], ["date", 0], 1]) {
    add(deep(80, last), { limit: 20_000 });
    for (const levels of [150, 199]) add(deep(levels, last, LISTS_AND_OBJECTS), { limit: 20_000 });
    add(deep(201, last, LISTS_AND_OBJECTS), { limit: 20_000, mark: "refused" });
  }
  adding(700, shared, { limit: 700 });
  adding(700, shared, { writer: dedupe, limit: 700 });
  adding(700, () => ["set", ...distinct(2 + below(4))], { mark: "otherwise" });
  adding(700, () => map(2));
  adding(700, set);
  adding(COUNT - lines.length, () => any(1 + below(4)), { limit: 250 });
  return lines;
}

// RegExps, URLs and errors have no enumerable fields that isDeepStrictEqual compares.
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

// A text without what the package adds to one it has read: it marks what is shared, equal BigInts too, and an Error
// that was written without a cause has one, undefined.
function unmarked(written) {
  const document = JSON.parse(written);
  if (document.meta) delete document.meta.referentialEqualities;
  if (document.meta && !document.meta.values) delete document.meta;
  return JSON.stringify(document);
}

function withoutEmptyCauses(value) {
  if (value instanceof Error) {
    if (value.cause === undefined) delete value.cause;
    else withoutEmptyCauses(value.cause);
  } else if (value instanceof Map) [...value].flat().forEach(withoutEmptyCauses);
  else if (value instanceof Set || Array.isArray(value)) [...value].forEach(withoutEmptyCauses);
  else if (value !== null && typeof value === "object") Object.values(value).forEach(withoutEmptyCauses);
  return value;
}

function readAgain(line) {
  const [description, written] = JSON.parse(line);
  const value = SuperJSON.parse(written);
  if (!isDeepStrictEqual(comparable(value), comparable(build(description)))) throw new Error(`read as another value: ${line}`);
  const again = SuperJSON.stringify(value);
  if (again === written) return line;
  const bare = unmarked(SuperJSON.stringify(withoutEmptyCauses(value)));
  if (bare !== written) throw new Error(`written as another text: ${line}\n${bare}`);
  return JSON.stringify([description, written, again]);
}

// Versions of zlib differ in how they compress; a file with the same lines is left as it is.
function keep(name, lines) {
  const path = join(here, name);
  const content = Buffer.from(`${lines.join("\n")}\n`);
  const isNew = !existsSync(path) || !gunzipSync(readFileSync(path)).equals(content);
  if (isNew) writeFileSync(path, gzipSync(content, { level: 9 }));
  console.log(`${name}: ${lines.length} values, ${content.length} bytes, ${isNew ? "written" : "as it was"}`);
}

keep("superjson_golden.jsonl.gz", write());
keep("superjson_python.jsonl.gz", readFileSync(process.argv[2], "utf8").trim().split("\n").map(readAgain));
