/** Colours for the first line of a `%%twist` cell, and for `%twist` lines. */

import type { CodeEditor } from '@jupyterlab/codeeditor';
import { RangeSetBuilder } from '@codemirror/state';
import type { Extension, Text } from '@codemirror/state';
import { Decoration, EditorView, ViewPlugin } from '@codemirror/view';
import type { DecorationSet, ViewUpdate } from '@codemirror/view';

export type Kind = 'magic' | 'command' | 'option' | 'value';

export interface Token {
  from: number;
  to: number;
  kind: Kind;
}

const HEADER = /^%%twist(?![\w.])/;
const LINE = /^\s*(?:[\w.[\]'", ]{1,80}=\s*)?(%twist)(?![\w.])/;
const WORD = /(?:'[^']*'?|"[^"]*"?|[^\s'"])+/g;
const OPTION = /^(--?[A-Za-z][\w-]*)(=?)/;
const COMMAND = /^[a-z]+$/;

/** The parts of `%%twist --option value`. */
export function headerTokens(text: string): Token[] {
  const found = HEADER.exec(text);
  return found ? [{ from: 0, to: found[0].length, kind: 'magic' }, ...words(text, found[0].length, false)] : [];
}

/** The parts of `%twist command argument`; what stands before it, as in `run = %twist run`, is Python. */
export function lineTokens(text: string): Token[] {
  const found = LINE.exec(text);
  if (!found) {
    return [];
  }
  const to = found[0].length;
  return [{ from: to - '%twist'.length, to, kind: 'magic' }, ...words(text, to, true)];
}

/** Where a cell's first line with text in it is, if that makes it a `%%twist` cell; 0 otherwise. */
export function headerLine(text: Text): number {
  for (let number = 1; number <= text.lines; number += 1) {
    const { text: content } = text.line(number);
    if (content.trim() !== '') {
      return HEADER.test(content) ? number : 0;
    }
  }
  return 0;
}

function words(text: string, start: number, commanded: boolean): Token[] {
  const tokens: Token[] = [];
  let awaitsCommand = commanded;
  WORD.lastIndex = start;
  for (let found = WORD.exec(text); found; found = WORD.exec(text)) {
    const [word] = found;
    const from = found.index;
    const to = from + word.length;
    const option = OPTION.exec(word);
    if (option) {
      const [, name = '', equals = ''] = option;
      const end = from + name.length;
      tokens.push({ from, to: end, kind: 'option' });
      if (end + equals.length < to) {
        tokens.push({ from: end + equals.length, to, kind: 'value' });
      }
    } else {
      tokens.push({ from, to, kind: awaitsCommand && COMMAND.test(word) ? 'command' : 'value' });
    }
    awaitsCommand = false;
  }
  return tokens;
}

const MARKS: Record<Kind, Decoration> = {
  magic: Decoration.mark({ class: 'pnb-code-magic' }),
  command: Decoration.mark({ class: 'pnb-code-command' }),
  option: Decoration.mark({ class: 'pnb-code-option' }),
  value: Decoration.mark({ class: 'pnb-code-value' })
};

function decorate(view: EditorView): DecorationSet {
  const builder = new RangeSetBuilder<Decoration>();
  const header = headerLine(view.state.doc);
  const add = (line: { from: number; text: string }, tokens: Token[]): void => {
    for (const { from, to, kind } of tokens) {
      builder.add(line.from + from, line.from + to, MARKS[kind]);
    }
  };
  if (header > 0) {
    const line = view.state.doc.line(header);
    add(line, headerTokens(line.text));
    return builder.finish();
  }
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to; ) {
      const line = view.state.doc.lineAt(at);
      add(line, lineTokens(line.text));
      at = line.to + 1;
    }
  }
  return builder.finish();
}

// What Python's grammar makes of the line has its colours on elements inside these.
const coloured = (kind: Kind, variable: string, fallback: string, more: Record<string, string> = {}): object => ({
  [`.pnb-code-${kind}, .pnb-code-${kind} span`]: { color: `var(--jp-mirror-editor-${variable}-color, ${fallback})`, ...more }
});

const THEME = EditorView.baseTheme({
  ...coloured('magic', 'meta', '#a2f', { fontWeight: 'bold' }),
  ...coloured('command', 'keyword', '#008000', { fontWeight: 'bold' }),
  ...coloured('option', 'attribute', '#00c', { fontWeight: 'normal' }),
  ...coloured('value', 'string', '#ba2121', { fontWeight: 'normal' })
} as Parameters<typeof EditorView.baseTheme>[0]);

/** Marks what a code cell's editor shows; `model` tells whether it is one. */
export function twistHighlight(model: Pick<CodeEditor.IModel, 'mimeType'>): Extension {
  const isCode = (): boolean => /^text\/x-i?python$/.test(model.mimeType);
  const plugin = ViewPlugin.define(
    view => ({
      marks: isCode() ? decorate(view) : Decoration.none,
      update(update: ViewUpdate): void {
        // A cell learns its language when the kernel tells it, and then the editor is configured anew.
        if (update.docChanged || update.viewportChanged || update.transactions.some(done => done.reconfigured)) {
          this.marks = isCode() ? decorate(update.view) : Decoration.none;
        }
      }
    }),
    { decorations: value => value.marks }
  );
  return [plugin, THEME];
}
