/** Values as a user writes them: JSON, or as Python has it, with the types that JSON lacks by their names. */

import { messageOf } from './text';

/** What cannot be read, and where. */
export class LiteralError extends Error {}

/** How deep things may lie in a value, and which keys no object may have. */
export const DEEPEST = 200;
export const REFUSED: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const WORDS = new Map<string, unknown>([
  ['null', null],
  ['None', null],
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['undefined', undefined],
  ['UNDEFINED', undefined],
  ['NaN', NaN],
  ['nan', NaN],
  ['Infinity', Infinity],
  ['inf', Infinity]
]);
const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', '0': '\0' };
const SPACE = /\s*/y;
const NUMBER = /[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?/y;
const NAME = /[-+]?[A-Za-z_]\w*/y;
const HEXADECIMAL: Record<string, RegExp> = { x: /[0-9a-f]{2}/iy, u: /[0-9a-f]{4}/iy, U: /[0-9a-f]{8}/iy };

/** Read all of a text as one value. */
export function readLiteral(text: string): unknown {
  return new Reader(text).all();
}

/** Read what a user typed as a number: whole ones of any size, and those with a point. */
export function readNumber(text: string): number | bigint {
  const plain = text.trim().replace(/(?<=\d)_(?=\d)/g, '');
  if (/^[-+]?\d+$/.test(plain)) {
    const whole = Number(plain);
    return Number.isSafeInteger(whole) ? whole + 0 : bigOf(plain);
  }
  const word = /^([-+]?)(nan|inf|infinity)$/i.exec(plain);
  if (word) {
    return word[2]?.toLowerCase() === 'nan' ? NaN : word[1] === '-' ? -Infinity : Infinity;
  }
  NUMBER.lastIndex = 0;
  if (!NUMBER.test(plain) || NUMBER.lastIndex !== plain.length) {
    throw new LiteralError(`${shown(text)} is not a number: write it as in 12, -0.5 or 6e23`);
  }
  return Number(plain);
}

/** Read a whole number of any size. */
export function readWhole(text: string): bigint {
  const plain = text.trim().replace(/(?<=\d)_(?=\d)/g, '');
  if (!/^[-+]?\d+$/.test(plain)) {
    throw new LiteralError(`${shown(text)} is not a whole number: write its digits`);
  }
  return bigOf(plain);
}

/** Read a moment; it has to say in which zone it is. */
export function readMoment(text: string): Date {
  const found =
    /^\s*(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|[-+]\d\d:?\d\d)?\s*$/i.exec(
      text
    );
  if (!found) {
    throw new LiteralError(`${shown(text)} is not a date: write it as in 2026-01-31 09:30:00Z`);
  }
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(part => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number
  ];
  if (!found[8]) {
    throw new LiteralError(
      `${shown(text)} has no time zone, so it names no moment: end it with Z for UTC, or as in +02:00`
    );
  }
  const moment = new Date(0);
  moment.setUTCFullYear(year, month - 1, day);
  moment.setUTCHours(hour, minute, second, Number((found[7] ?? '0').padEnd(3, '0').slice(0, 3)));
  const isReal =
    moment.getUTCFullYear() === year &&
    moment.getUTCMonth() === month - 1 &&
    moment.getUTCDate() === day &&
    [hour < 24, minute < 60, second < 60].every(Boolean);
  const offset = offsetOf(found[8]);
  const result = new Date(moment.getTime() - offset * 60_000);
  if (!isReal || Math.abs(offset) >= 1440 || result.getUTCFullYear() < 1 || result.getUTCFullYear() > 9999) {
    throw new LiteralError(`${shown(text)} is not a date there is, in the years 1 to 9999`);
  }
  return result;
}

/** Read an absolute URL. */
export function readUrl(text: string): URL {
  try {
    return new URL(text.trim());
  } catch {
    throw new LiteralError(`${shown(text)} is not a URL: it must begin with its scheme, as in https://`);
  }
}

/** Read `/source/flags`. */
export function readPattern(text: string): RegExp {
  const found = /^\s*\/(.+)\/([a-z]*)\s*$/s.exec(text);
  if (!found || /[^dgimsuvy]/.test(found[2] ?? '')) {
    throw new LiteralError(`${shown(text)} is not a regular expression: write it as in /page=(\\d+)/i`);
  }
  try {
    return new RegExp(found[1] ?? '', found[2]);
  } catch (error) {
    throw new LiteralError(`${shown(text)} is not a regular expression: ${messageOf(error)}`);
  }
}

/** An error to store. */
export function makeError(name: string, message: string, cause?: unknown): Error {
  const error = new Error(message);
  error.name = name;
  if (cause !== undefined) {
    Object.defineProperty(error, 'cause', { value: cause, enumerable: false });
  }
  return error;
}

class Reader {
  private at = 0;
  private depth = 0;

  constructor(private readonly text: string) {}

  all(): unknown {
    const value = this.value();
    this.skip();
    if (this.at < this.text.length) {
      this.fail('something follows the value');
    }
    return value;
  }

  private value(): unknown {
    this.skip();
    const char = this.text.charAt(this.at);
    if (char === '') {
      this.fail('a value is missing');
    }
    if (char === '"' || char === "'") {
      return this.string(char);
    }
    if (char === '[' || char === '{') {
      if (++this.depth > DEEPEST) {
        this.fail(`it lies more than ${DEEPEST} levels deep`);
      }
      const value = char === '[' ? this.list() : this.braces();
      this.depth -= 1;
      return value;
    }
    return this.number() ?? this.name();
  }

  private list(): unknown[] {
    this.at += 1;
    const items: unknown[] = [];
    while (!this.ends(']')) {
      items.push(this.value());
      this.comma(']');
    }
    return items;
  }

  /** A dict, or as in Python a set. */
  private braces(): unknown {
    this.at += 1;
    const dict: Record<string, unknown> = {};
    const members: unknown[] = [];
    let keys = 0;
    while (!this.ends('}')) {
      const from = this.at;
      const key = this.value();
      this.skip();
      if (this.text.charAt(this.at) !== ':') {
        if (keys > 0) {
          this.fail('a colon is missing after the key');
        }
        members.push(key);
      } else {
        if (members.length > 0) {
          this.fail('a set has no keys');
        }
        this.at += 1;
        keys += 1;
        dict[this.key(key, from)] = this.value();
      }
      this.comma('}');
    }
    return members.length > 0 ? new Set(members) : dict;
  }

  private key(key: unknown, from: number): string {
    if (typeof key !== 'string') {
      this.fail('the key of a dict is a text in quotes; for others write Map([[key, value], …])', from);
    }
    if (REFUSED.has(key)) {
      this.fail(`'${key}' is a key that no object may have: rename it`, from);
    }
    return key;
  }

  private string(quote: string): string {
    const from = this.at;
    let found = '';
    this.at += 1;
    for (;;) {
      const char = this.text.charAt(this.at);
      if (char === '' || char === '\n') {
        this.fail('the quotes of this text are not closed; a new line is written \\n', from);
      }
      this.at += 1;
      if (char === quote) {
        return found;
      }
      found += char === '\\' ? this.escape() : char;
    }
  }

  private escape(): string {
    const char = this.text.charAt(this.at);
    this.at += 1;
    const pattern = HEXADECIMAL[char];
    if (!pattern) {
      return (
        ESCAPES[char] ?? (/[\\/'"]/.test(char) ? char : this.fail(`\\${char} is no escape`, this.at - 2))
      );
    }
    const code = Number.parseInt(this.match(pattern) ?? this.fail(`digits are missing after \\${char}`), 16);
    return code < 0x10000
      ? String.fromCharCode(code)
      : code < 0x110000
        ? String.fromCodePoint(code)
        : this.fail('there is no such character');
  }

  private number(): number | bigint | undefined {
    const found = this.match(NUMBER);
    if (found === undefined) {
      return undefined;
    }
    return readNumber(found);
  }

  private name(): unknown {
    const from = this.at;
    const found = this.match(NAME);
    if (found === undefined) {
      this.fail('a value is missing');
    }
    if (WORDS.has(found)) {
      return WORDS.get(found);
    }
    if (found === '-inf' || found === '-Infinity') {
      return -Infinity;
    }
    this.skip();
    if (this.text.charAt(this.at) !== '(' || found === '-') {
      this.fail(`${shown(found)} is no value: a text is written in quotes`, from);
    }
    if (++this.depth > DEEPEST) {
      this.fail(`it lies more than ${DEEPEST} levels deep`);
    }
    this.at += 1;
    const given: unknown[] = [];
    while (!this.ends(')')) {
      given.push(this.value());
      this.comma(')');
    }
    this.depth -= 1;
    return this.made(found, given, from);
  }

  private made(name: string, given: unknown[], from: number): unknown {
    const [first] = given;
    try {
      if (name === 'set' && given.length === 0) {
        return new Set();
      }
      if (name === 'Map' && given.length === 0) {
        return new Map();
      }
      if (name === 'set' && Array.isArray(first)) {
        return new Set(first);
      }
      if (
        name === 'Map' &&
        Array.isArray(first) &&
        first.every(pair => Array.isArray(pair) && pair.length === 2)
      ) {
        return mapOf(first as [unknown, unknown][]);
      }
      if (
        name === 'Error' &&
        typeof first === 'string' &&
        (given.length < 2 || typeof given[1] === 'string')
      ) {
        return makeError(first, (given[1] as string | undefined) ?? '', given[2]);
      }
      const make = MAKERS[name];
      if (make && typeof first === 'string' && given.length === 1) {
        return make(first);
      }
    } catch (error) {
      this.fail(messageOf(error), from);
    }
    this.fail(
      EXAMPLES[name] ? `write it as in ${EXAMPLES[name]}` : `${shown(name)} is no type there is`,
      from
    );
  }

  private ends(bracket: string): boolean {
    this.skip();
    if (this.text.charAt(this.at) !== bracket) {
      return false;
    }
    this.at += 1;
    return true;
  }

  private comma(bracket: string): void {
    this.skip();
    const char = this.text.charAt(this.at);
    if (char === ',') {
      this.at += 1;
    } else if (char !== bracket) {
      this.fail(char === '' ? `${bracket} is missing at the end` : `a comma or ${bracket} is missing`);
    }
  }

  private skip(): void {
    this.match(SPACE);
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  private fail(problem: string, at = this.at): never {
    const before = this.text.slice(0, at).split('\n');
    const column = (before[before.length - 1] ?? '').length + 1;
    throw new LiteralError(`line ${before.length}, column ${column}: ${problem}`);
  }
}

const MAKERS: Record<string, (text: string) => unknown> = {
  datetime: readMoment,
  int: readWhole,
  Url: readUrl,
  Pattern: readPattern
};

const EXAMPLES: Record<string, string> = {
  datetime: 'datetime("2026-01-31T09:30:00Z")',
  int: 'int("5")',
  Url: 'Url("https://example.com/")',
  Pattern: 'Pattern("/page=(\\\\d+)/i")',
  Error: 'Error("ValueError", "what went wrong")',
  set: 'set([1, 2])',
  Map: 'Map([[1, "one"], [2, "two"]])'
};

/** A whole number, of as many digits as Python reads. */
function bigOf(digits: string): bigint {
  if (digits.length > 4300) {
    throw new LiteralError(`it is an integer of more than 4300 digits, too many`);
  }
  return BigInt(digits.replace(/^\+/, ''));
}

function mapOf(entries: [unknown, unknown][]): Map<unknown, unknown> {
  const map = new Map(entries);
  if (map.size < entries.length) {
    throw new LiteralError('a Map with the same key twice');
  }
  return map;
}

/** Minutes that a zone is ahead of UTC. */
function offsetOf(zone: string): number {
  const found = /^([-+])(\d\d):?(\d\d)$/.exec(zone);
  return found ? (found[1] === '-' ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3])) : 0;
}

function shown(text: string): string {
  return `'${text.length <= 60 ? text : `${text.slice(0, 57)}...`}'`;
}
