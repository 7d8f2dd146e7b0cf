/** As much of Python as it takes to colour a cell and to find a method in it. */

export type Token = 'plain' | 'keyword' | 'string' | 'comment' | 'number' | 'name';

/** A stretch of one line. */
export interface Piece {
  token: Token;
  text: string;
}

/** The lines of one definition, from 1, decorators included. */
export interface Definition {
  name: string;
  /** The class around it; empty where there is none. */
  owner: string;
  first: number;
  last: number;
}

const KEYWORDS = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from ' +
    'global if import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' ')
);

const QUOTE = /(?:[rbft]{0,2}|u)("""|'''|"|')/iy;
const WORD = /[\p{L}_][\p{L}\p{N}_]*/uy;
const NUMBER = /\d[\w.]*/y;
const DEFINITION = /^[ \t]*(?:(class)|(?:async[ \t]+)?def)[ \t]+([\p{L}_][\p{L}\p{N}_]*)/u;

/** Tells tokens of a text apart line by line; it remembers which string or bracket is open. */
class Scanner {
  /** The quotes that end the string that the line before left open. */
  private quotes = '';
  private depth = 0;

  /** Whether the next line continues something, so that its indentation says nothing. */
  get continues(): boolean {
    return this.quotes !== '' || this.depth > 0;
  }

  pieces(line: string): Piece[] {
    const found: Piece[] = [];
    let at = 0;
    let plain = 0;
    const take = (token: Token, end: number): void => {
      if (plain < at) {
        found.push({ token: 'plain', text: line.slice(plain, at) });
      }
      found.push({ token, text: line.slice(at, end) });
      at = plain = end;
    };
    if (this.quotes && line) {
      take('string', this.endOfString(line, 0));
    }
    while (at < line.length) {
      const char = line.charAt(at);
      const quote = matchAt(QUOTE, line, at);
      const word = quote ? null : matchAt(WORD, line, at);
      if (char === '#') {
        take('comment', line.length);
      } else if (quote) {
        this.quotes = quote[1] ?? '';
        take('string', this.endOfString(line, at + quote[0].length));
      } else if (word) {
        const end = at + word[0].length;
        const token = KEYWORDS.has(word[0])
          ? 'keyword'
          : isDefined(found, line.slice(plain, at))
            ? 'name'
            : null;
        if (token) {
          take(token, end);
        } else {
          at = end;
        }
      } else if (matchAt(NUMBER, line, at)) {
        take('number', NUMBER.lastIndex);
      } else {
        this.depth = Math.max(0, this.depth + ('([{'.includes(char) ? 1 : ')]}'.includes(char) ? -1 : 0));
        at += 1;
      }
    }
    if (plain < at) {
      found.push({ token: 'plain', text: line.slice(plain, at) });
    }
    return found;
  }

  private endOfString(line: string, from: number): number {
    for (let at = from; at < line.length; at++) {
      if (line.charAt(at) === '\\') {
        at += 1;
      } else if (line.startsWith(this.quotes, at)) {
        at += this.quotes.length;
        this.quotes = '';
        return at;
      }
    }
    if (this.quotes.length === 1) {
      this.quotes = '';
    }
    return line.length;
  }
}

/** The lines of a source as Python counts them. */
export function linesOf(text: string): string[] {
  return text.split(/\r\n?|\n/);
}

/** Each line in pieces, whose texts are the line again. */
export function highlight(lines: readonly string[]): Piece[][] {
  const scanner = new Scanner();
  return lines.map(line => scanner.pieces(line));
}

/** The definitions in a source, in their order. */
export function definitions(lines: readonly string[]): Definition[] {
  const scanner = new Scanner();
  const found: Definition[] = [];
  const open: { definition: Definition; indent: number; isClass: boolean }[] = [];
  let decorators = 0;
  let last = 0;
  lines.forEach((line, index) => {
    const continued = scanner.continues;
    const pieces = scanner.pieces(line);
    if (!continued && isCode(pieces)) {
      const indent = indentation(line);
      while (open.length && indent <= (open[open.length - 1]?.indent ?? 0)) {
        const closed = open.pop();
        if (closed) {
          closed.definition.last = last;
        }
      }
      if (line.trimStart().startsWith('@')) {
        decorators ||= index + 1;
      } else {
        const match = DEFINITION.exec(line);
        if (match) {
          const around = [...open].reverse().find(each => each.isClass);
          const definition = {
            name: match[2] ?? '',
            owner: around?.definition.name ?? '',
            first: decorators || index + 1,
            last: index + 1
          };
          found.push(definition);
          open.push({ definition, indent, isClass: match[1] !== undefined });
        }
        decorators = 0;
      }
    }
    if (line.trim() && (continued || isCode(pieces))) {
      last = index + 1;
    }
  });
  open.forEach(each => (each.definition.last = last));
  return found;
}

function matchAt(pattern: RegExp, line: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(line);
}

/** Whether the word that comes next is the name after `def` or `class`. */
function isDefined(before: Piece[], between: string): boolean {
  const last = before[before.length - 1];
  return !between.trim() && last?.token === 'keyword' && (last.text === 'def' || last.text === 'class');
}

function isCode(pieces: Piece[]): boolean {
  return pieces.some(piece => piece.token !== 'comment' && piece.text.trim() !== '');
}

function indentation(line: string): number {
  let columns = 0;
  for (const char of line) {
    if (char === ' ') {
      columns += 1;
    } else if (char === '\t') {
      columns += 8 - (columns % 8);
    } else {
      break;
    }
  }
  return columns;
}
