import { Text } from '@codemirror/state';
import { describe, expect, it } from 'vitest';

import { headerLine, headerTokens, lineTokens } from '../src/lab/highlight';
import type { Token } from '../src/lab/highlight';

/** Each part as `kind:text`. */
const parts = (text: string, tokens: Token[]): string[] =>
  tokens.map(({ from, to, kind }) => `${kind}:${text.slice(from, to)}`);

describe('the first line of a %%twist cell', () => {
  it.each([
    ['%%twist', ['magic:%%twist']],
    ['%%twist --instance other', ['magic:%%twist', 'option:--instance', 'value:other']],
    ['%%twist --instance=other', ['magic:%%twist', 'option:--instance', 'value:other']],
    ["%%twist --instance 'a b' -h", ['magic:%%twist', 'option:--instance', "value:'a b'", 'option:-h']],
    ['%%twist --instance="--not an option"', ['magic:%%twist', 'option:--instance', 'value:"--not an option"']],
    ['%%twist -1 - --', ['magic:%%twist', 'value:-1', 'value:-', 'value:--']],
    ["%%twist --instance 'open", ['magic:%%twist', 'option:--instance', "value:'open"]],
    ['%%twister --instance other', []],
    [' %%twist', []],
    ['# %%twist', []],
    ['%twist run', []]
  ])('%s', (text, expected) => {
    expect(parts(text, headerTokens(text))).toEqual(expected);
  });
});

describe('a %twist line', () => {
  it.each([
    ['%twist run', ['magic:%twist', 'command:run']],
    ['  %twist store Sync', ['magic:%twist', 'command:store', 'value:Sync']],
    ['run = %twist call Sync.page 1', ['magic:%twist', 'command:call', 'value:Sync.page', 'value:1']],
    ['%twist --help', ['magic:%twist', 'option:--help']],
    ['%twist Sync run', ['magic:%twist', 'value:Sync', 'value:run']],
    ['%twists run', []],
    ['%%twist run', []],
    ["print('%twist run')", []],
    ['# %twist run', []],
    ['x % twist', []]
  ])('%s', (text, expected) => {
    expect(parts(text, lineTokens(text))).toEqual(expected);
  });

  it('is read in time that grows with its length, whatever is in it', () => {
    const text = `${'a = '.repeat(20_000)}%twist ${"'".repeat(20_000)}`;
    const began = performance.now();
    lineTokens(text);
    headerTokens(`%%twist ${"'\"-=".repeat(20_000)}`);
    expect(performance.now() - began).toBeLessThan(500);
  });
});

describe('which line makes a %%twist cell', () => {
  it.each([
    ['%%twist\nclass A: pass', 1],
    ['\n  \n%%twist', 3],
    ['x = 1\n%%twist', 0],
    ['', 0],
    ['\n\n', 0]
  ])('%j', (text, expected) => {
    expect(headerLine(Text.of(text.split('\n')))).toBe(expected);
  });
});
