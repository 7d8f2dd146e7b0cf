import { describe, expect, it, vi } from 'vitest';
import hostile from '../../tests/fixtures/pictures/hostile.json';
import types from '../../tests/fixtures/pictures/store_types.json';
import { Editor } from '../src/charts/editor';
import type { Editing } from '../src/charts/editor';
import {
  draftOf,
  keyProblem,
  noteOn,
  prepare,
  shortKey,
  typeNamed,
  TYPES,
  unreadable
} from '../src/charts/typed';
import { Journal } from '../src/charts/journal';
import { decode, encode, typeName } from '../src/charts/value';
import type { Rows } from '../src/charts/wire';

function stored(type: string, text: string): string {
  const found = prepare('k', typeNamed(type), text);
  return 'text' in found ? found.text : `refused: ${found.problem}`;
}

const meta = (json: unknown, type: unknown): string =>
  JSON.stringify({ json, meta: { values: [type], v: 1 } });

describe('what is typed is stored as', () => {
  it.each([
    ['text', 'a\n"b" é', JSON.stringify({ json: 'a\n"b" é' })],
    ['text', '', '{"json":""}'],
    ['escaped', '"a\\r\\u202e\\x00"', '{"json":"a\\r\u202e\\u0000"}'],
    ['number', ' 5 ', '{"json":5}'],
    ['number', '1_000', '{"json":1000}'],
    ['number', '5.0', '{"json":5}'],
    ['number', '.5', '{"json":0.5}'],
    ['number', '-1e-7', '{"json":-1e-7}'],
    ['number', '9007199254740993', meta('9007199254740993', 'bigint')],
    ['number', '-0.0', meta('-0', 'number')],
    ['number', 'nan', meta('NaN', 'number')],
    ['number', '-inf', meta('-Infinity', 'number')],
    ['flag', 'True', '{"json":true}'],
    ['flag', 'False', '{"json":false}'],
    ['none', '', '{"json":null}'],
    ['undefined', '', meta(null, 'undefined')],
    ['bigint', '5', meta('5', 'bigint')],
    ['datetime', '2026-01-31 09:30:00Z', meta('2026-01-31T09:30:00.000Z', 'Date')],
    ['datetime', '2026-01-31T09:30+02:00', meta('2026-01-31T07:30:00.000Z', 'Date')],
    ['datetime', '0001-01-01T00:00:00.5Z', meta('0001-01-01T00:00:00.500Z', 'Date')],
    ['items', '{"a": [1, 2.5, null, true]}', '{"json":{"a":[1,2.5,null,true]}}'],
    ['items', "{'a': None, 'b': [True, False,],}", '{"json":{"a":null,"b":[true,false]}}'],
    [
      'items',
      '{"at": datetime("2026-01-31T09:30:00Z")}',
      '{"json":{"at":"2026-01-31T09:30:00.000Z"},"meta":{"values":{"at":["Date"]},"v":1}}'
    ],
    ['set', '{1, "a"}', meta([1, 'a'], 'set')],
    ['set', '[1, 1]', meta([1], 'set')],
    ['set', '{}', meta([], 'set')],
    ['map', 'Map([[1, "one"]])', meta([[1, 'one']], 'map')],
    ['url', 'HTTPS://A.example', meta('https://a.example/', 'URL')],
    ['pattern', '/a\\/(?<n>b)/i', meta('/a\\/(?<n>b)/i', 'regexp')],
    ['error', 'ValueError: not a page', meta({ name: 'ValueError', message: 'not a page' }, 'Error')],
    ['superjson', ' {"json":[1],"meta":{"values":["set"],"v":1}} ', meta([1], 'set')]
  ])('%s: %s', (type, text, expected) => {
    expect(stored(type, text)).toBe(expected);
  });
});

describe('what cannot be stored is refused in words:', () => {
  it.each([
    ['number', 'five', "'five' is not a number"],
    ['number', '', "'' is not a number"],
    ['number', '1,5', "'1,5' is not a number"],
    ['bigint', '1.5', 'not a whole number'],
    ['bigint', '9'.repeat(4301), 'more than 4300 digits'],
    ['datetime', '2026-01-31 09:30', 'names no moment'],
    ['datetime', '2026-02-30 09:30Z', 'not a date there is'],
    ['datetime', '2026-01-31 24:00Z', 'not a date there is'],
    ['datetime', '0000-01-31 00:00Z', 'not a date there is'],
    ['datetime', '0001-01-01 00:00+02:00', 'not a date there is'],
    ['datetime', 'tomorrow', 'is not a date'],
    ['items', '{"a": }', 'line 1, column 7: a value is missing'],
    ['items', '[1\n 2]', 'line 2, column 2: a comma or ] is missing'],
    ['items', '[1', '] is missing at the end'],
    ['items', '"text"', 'this is "text", not a list or a dict'],
    ['items', '{a: 1}', "'a' is no value: a text is written in quotes"],
    ['items', '{1: 2}', 'write Map('],
    ['items', '[1] [2]', 'something follows'],
    ['items', '{"a": "b}', 'not closed'],
    ['items', '{"__proto__": 1}', "'__proto__' is a key that no object may have"],
    ['items', '[{"constructor": 1}]', "'constructor' is a key that no object may have"],
    ['items', '{"prototype": 1}', "'prototype' is a key"],
    ['items', '[eval("1")]', "'eval' is no type there is"],
    ['items', '[datetime(1)]', 'write it as in datetime('],
    ['items', '[datetime("2026")]', 'is not a date'],
    ['items', `${'['.repeat(250)}${']'.repeat(250)}`, 'more than 200 levels'],
    ['set', '{"a": 1}', 'not a set'],
    ['set', '[{}]', 'an object in a Set'],
    ['set', '[1, true]', 'equal in Python'],
    ['map', 'Map([[{}, 1]])', 'an object in a Set, or for the key of a Map'],
    ['map', 'Map([[1, 2], [1, 3]])', 'the same key twice'],
    ['url', 'example.com/x', 'must begin with its scheme'],
    ['pattern', 'abc', 'is not a regular expression'],
    ['pattern', '/(/', 'is not a regular expression'],
    ['error', '???', 'write the name of the error'],
    ['superjson', 'hello', "the value for key 'k' is not superjson text"],
    ['superjson', '{"a":1}', 'is not superjson text'],
    ['superjson', '{"json":1,"meta":{"values":[["class","X"]]}}', 'is not superjson text'],
    ['superjson', '{"json":[{}],"meta":{"values":["set"],"v":1}}', 'an object in a Set'],
    ['superjson', '{"json":{"a":{"__proto__":1}}}', "the key '__proto__'"],
    ['superjson', `{"json":${'['.repeat(250)}${']'.repeat(250)}}`, 'too deep to store'],
    [
      'text',
      'x'.repeat(2 ** 20),
      `the value for key 'k' is ${2 ** 20 + 11} bytes encoded, the Store takes at most 1048576`
    ]
  ])('%s: %s', (type, text, problem) => {
    expect(stored(type, text)).toContain('refused: ');
    expect(stored(type, text)).toContain(problem);
  });

  it('bytes count, not characters', () => {
    expect(stored('text', 'é'.repeat(600_000))).toContain('is 1200011 bytes encoded');
    expect(stored('text', 'x'.repeat(2 ** 20 - 11))).toMatch(/^\{"json"/);
  });
});

describe('a key is refused', () => {
  it.each([
    ['x'.repeat(1025), `key '${'x'.repeat(80)}'… is 1025 bytes, the Store takes keys of at most 1024`],
    ['é'.repeat(513), `key '${'\\xe9'.repeat(80)}'… is 1026 bytes, the Store takes keys of at most 1024`],
    ['a\ud800', "key 'a\\ud800' holds half a surrogate pair: it is not text"],
    ['__lock__:x', "keys that begin with '__lock__:' are locks: use acquire_lock and release_lock"],
    ['__tool__:calendar:__lock__:x', "keys that begin with '__lock__:' are locks: use acquire_lock and release_lock"],
    ['__tool__:x', "keys that begin with '__tool__:' are those of the twist's tools: only they write them"]
  ])('%s', (key, problem) => {
    expect(keyProblem(key)).toBe(problem);
  });

  it.each(['a', 'é'.repeat(512), '__proto__', '<b>', 'a b:c/d', '', '__drain__:inbox:a', '__tool__:calendar.auth:token'])('and %s is not', key => {
    expect(keyProblem(key)).toBeNull();
  });

  it('in the words that Python has for it', () => {
    expect(shortKey('it\'s "x"\n\t\\\x7f\u202e😀')).toBe("'it\\'s \"x\"\\n\\t\\\\\\x7f\\u202e\\U0001f600'");
    expect(shortKey("it's")).toBe('"it\'s"');
  });
});

describe('an edited value keeps its type', () => {
  it.each([
    ['{"json":"text"}', 'text'],
    ['{"json":"a\\rb"}', 'escaped'],
    ['{"json":5}', 'number'],
    ['{"json":1e+25}', 'number'],
    [meta('-0', 'number'), 'number'],
    ['{"json":true}', 'flag'],
    ['{"json":null}', 'none'],
    [meta(null, 'undefined'), 'undefined'],
    [meta('5', 'bigint'), 'bigint'],
    [meta('12345678901234567890', 'bigint'), 'number'],
    ['{"json":{"a":[1]}}', 'items'],
    [meta([1, 2], 'set'), 'set'],
    [meta([['a', 1]], 'map'), 'map'],
    [meta('2026-01-31T09:30:00.000Z', 'Date'), 'datetime'],
    [meta('https://a.example/', 'URL'), 'url'],
    [meta('/x/g', 'regexp'), 'pattern'],
    [meta({ name: 'KeyError', message: 'a: b\nc' }, 'Error'), 'error']
  ])('%s', (text, name) => {
    const { type, text: typed } = draftOf(decode(text));
    expect(type.name).toBe(name);
    expect(prepare('k', type, typed)).toEqual({ text });
  });

  it('and one that cannot be read is offered as it is stored', () => {
    const text = meta('/(?P<a>x)/', 'regexp');
    expect(draftOf(decode(text))).toEqual({ type: typeNamed('superjson'), text });
  });
});

describe('what Python has written', () => {
  const writes = [types, hostile].flatMap(
    picture => new Journal((picture as unknown as { rows: Rows }).rows).writes
  );
  const stored = writes.filter(write => write.text !== null);

  it.each(stored.map(write => [write.type, write.text ?? '']))(
    'is a %s here too, and stays as it is: %s',
    (type, text) => {
      const read = decode(text);
      expect('value' in read ? typeName(read.value) : read.problem).toBe(type);
      const draft = draftOf(read);
      expect(draft.type.name).not.toBe('superjson');
      expect(prepare('k', draft.type, draft.text)).toEqual({ text });
    }
  );

  it('has every type there is', () => {
    expect(new Set(stored.map(write => write.type)).size).toBeGreaterThan(11);
  });
});

it('says when Python will read something else than was typed', () => {
  expect(noteOn(typeNamed('number'), '5.0')).toContain('the int 5');
  expect(noteOn(typeNamed('number'), '9007199254740993')).toContain('BigInt');
  expect(['5', '5.5', 'x'].map(text => noteOn(typeNamed('number'), text))).toEqual(['', '', '']);
});

it('knows what Python could not read', () => {
  expect(unreadable({ a: [new Date(NaN)] })).toContain('outside the years');
  expect(unreadable(new Set([1, 1n]))).toContain('equal in Python');
  expect(unreadable([new Map([[[1, 2], {}]])])).toBeNull();
  expect(encode(new Set([[1, 2]]))).toBe(meta([[1, 2]], 'set'));
});

describe('the form', () => {
  function open(editing: Partial<Editing> = {}) {
    const save = vi.fn(async () => undefined);
    const close = vi.fn();
    const editor = new Editor({
      key: 'k',
      stored: decode('{"json":5}'),
      doubt: () => null,
      save,
      close,
      ...editing
    });
    document.body.replaceChildren(editor.element);
    const find = <E extends Element>(selector: string): E => editor.element.querySelector(selector) as E;
    const press = async (name: string): Promise<void> => {
      const buttons = [...editor.element.querySelectorAll('button')];
      buttons.find(each => each.textContent === name)?.click();
      await Promise.resolve();
      await Promise.resolve();
    };
    return { editor, save, close, find, press };
  }

  it('sends what was typed when it is told to, and closes', async () => {
    const { save, close, find, press } = open();
    const field = find<HTMLInputElement>('.pnb-edit-field input');
    expect(field.value).toBe('5');
    field.value = '6';
    field.dispatchEvent(new Event('input', { bubbles: true }));
    field.dispatchEvent(new Event('change', { bubbles: true }));
    expect(save).not.toHaveBeenCalled();
    await press('Save');
    expect(save).toHaveBeenCalledWith('k', '{"json":6}');
    expect(close).toHaveBeenCalled();
  });

  it('closes with Escape, but not over what was typed', () => {
    const { close, find } = open();
    const field = find<HTMLInputElement>('.pnb-edit-field input');
    const escape = (): void => void field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
    field.value = '6';
    escape();
    expect(close).not.toHaveBeenCalled();
    field.value = '5';
    escape();
    expect(close).toHaveBeenCalledOnce();
  });

  it('keeps what was typed and says what is wrong with it', async () => {
    const { save, close, find, press } = open();
    const field = find<HTMLInputElement>('.pnb-edit-field input');
    field.value = 'six';
    await press('Save');
    expect(save).not.toHaveBeenCalled();
    expect(close).not.toHaveBeenCalled();
    expect(field.value).toBe('six');
    expect(field.getAttribute('aria-invalid')).toBe('true');
    const problem = document.getElementById(
      (field.getAttribute('aria-describedby') ?? '').split(' ')[0] ?? ''
    );
    expect(problem?.textContent).toContain("'six' is not a number");
    field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    expect(save).not.toHaveBeenCalled();
  });

  it('keeps what was typed when the kernel refuses it', async () => {
    const save = vi.fn(async () => Promise.reject(new Error('the Store is <b>closed</b>')));
    const { close, find, press, editor } = open({ save });
    find<HTMLInputElement>('.pnb-edit-field input').value = '7';
    await press('Save');
    expect(editor.element.textContent).toContain('the Store is <b>closed</b>');
    expect(find<HTMLInputElement>('.pnb-edit-field input').value).toBe('7');
    expect(close).not.toHaveBeenCalled();
    expect(find<HTMLButtonElement>('.pnb-primary').disabled).toBe(false);
  });

  it('asks once before it writes over what another has written', async () => {
    const { save, press, editor } = open({ doubt: () => 'It was written by #4.' });
    await press('Save');
    expect(save).not.toHaveBeenCalled();
    expect(editor.element.textContent).toContain('It was written by #4. Save again');
    await press('Save');
    expect(save).toHaveBeenCalledTimes(1);
  });

  it('keeps the text when another type is chosen', () => {
    const { find } = open();
    const type = find<HTMLSelectElement>('select');
    type.value = 'text';
    type.dispatchEvent(new Event('change', { bubbles: true }));
    expect(find<HTMLTextAreaElement>('textarea').value).toBe('5');
  });

  it('asks for the key of a new value, and says what is wrong with it at its field', async () => {
    const { find, press, save } = open({ key: null, stored: null });
    const key = find<HTMLInputElement>('input');
    key.value = '__lock__:a';
    await press('Save');
    expect(save).not.toHaveBeenCalled();
    expect(key.getAttribute('aria-invalid')).toBe('true');
    expect(document.getElementById(key.getAttribute('aria-describedby') ?? '')?.textContent).toContain(
      'are locks'
    );
  });

  it('has every type, each with a label', () => {
    const { find } = open();
    expect([...find<HTMLSelectElement>('select').options].map(option => option.value)).toEqual(
      TYPES.map(type => type.name)
    );
  });
});
