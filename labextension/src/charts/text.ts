/**
 * Text that came out of a twist, made safe to show: the same rules as `plot_nb/view/hostile.py`.
 *
 * `line` and `block` leave nothing that acts on a screen; what they give is shown with `textContent`.
 */

const COLOUR = /\x1b\[[0-9;:]{0,64}m/g;
const NEWLINE = /\r\n?|[\x0b\x0c\x85\u2028\u2029]/g;
const CONTROL = /[\x00-\x08\x0e-\x1f\x7f-\x9f]/g;
// What reorders or hides the text around it is shown by its number, so that nobody is misled by it.
const MISLEADING = /[\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]/gu;
// With the `u` flag a surrogate matches only where it has no other half.
const BROKEN = /[\ud800-\udfff\ufffe\uffff]/gu;
const SUSPECT = /[^\x20-\x7e\n\t\xa0-\u0600]/;
const SPACE = /\s+/g;
const WORTH_COUNTING = 100;

type Text = string | null | undefined;

/**
 * Make text of several lines safe to show.
 *
 * @param limit Characters to keep. What is longer ends with an ellipsis and, names aside, with its true length.
 */
export function block(value: Text, limit: number): string {
  if (value === null || value === undefined) {
    return '';
  }
  // A text has at least half as many characters as UTF-16 units.
  const long = value.length > limit;
  // Cut first: a line of a megabyte is not worth reading through.
  const shown = clean(long ? firstCharacters(value, limit + 1024) : value);
  if (!long) {
    return shown;
  }
  const length = characters(value);
  if (length <= limit) {
    return shown;
  }
  const kept = firstCharacters(shown, limit);
  return limit >= WORTH_COUNTING ? `${kept}… (${grouped(length)} characters)` : `${kept}…`;
}

/** As `block`, on one line. */
export function line(value: Text, limit = 120): string {
  return block(value, limit).replace(SPACE, ' ').trim();
}

/** A whole number with its digits in groups of three. */
export function grouped(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** What an error says, as it came. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function clean(text: string): string {
  if (!SUSPECT.test(text)) {
    return text;
  }
  return text
    .replace(COLOUR, '')
    .replace(NEWLINE, '\n')
    .replace(CONTROL, '')
    .replace(MISLEADING, numbered)
    .replace(BROKEN, '\ufffd');
}

function numbered(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return `[U+${code.toString(16).toUpperCase().padStart(4, '0')}]`;
}

function characters(text: string): number {
  let found = text.length;
  for (let at = 0; at < text.length - 1; at += 1) {
    if (isPair(text, at)) {
      found -= 1;
      at += 1;
    }
  }
  return found;
}

function firstCharacters(text: string, wanted: number): string {
  let at = 0;
  for (let found = 0; found < wanted && at < text.length; found += 1) {
    at += isPair(text, at) ? 2 : 1;
  }
  return text.slice(0, at);
}

function isPair(text: string, at: number): boolean {
  return (text.codePointAt(at) ?? 0) > 0xffff;
}
