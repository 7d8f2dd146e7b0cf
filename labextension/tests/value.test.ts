import { describe, expect, it } from 'vitest';
import { readLiteral } from '../src/charts/literal';
import {
  decode,
  differences,
  encode,
  moment,
  needsEscapes,
  parts,
  quoted,
  searched,
  short,
  size,
  typeName,
  written
} from '../src/charts/value';

function read(text: string): unknown {
  const found = decode(text);
  if (!('value' in found)) {
    throw new Error(found.problem);
  }
  return found.value;
}

/** Texts as Python writes them, with the type it reads and a value on one line. */
const STORED: [string, string, string][] = [
  ['{"json":"a\\"b"}', 'str', '"a\\"b"'],
  ['{"json":5}', 'int', '5'],
  ['{"json":-2.5}', 'float', '-2.5'],
  ['{"json":9007199254740992}', 'float', '9007199254740992.0'],
  ['{"json":1e+25}', 'float', '1e+25'],
  ['{"json":"-0","meta":{"values":["number"],"v":1}}', 'float', '-0.0'],
  ['{"json":"NaN","meta":{"values":["number"],"v":1}}', 'float', 'nan'],
  ['{"json":"-Infinity","meta":{"values":["number"],"v":1}}', 'float', '-inf'],
  ['{"json":"12345678901234567890","meta":{"values":["bigint"],"v":1}}', 'int', '12345678901234567890'],
  ['{"json":true}', 'bool', 'True'],
  ['{"json":null}', 'None', 'None'],
  ['{"json":null,"meta":{"values":["undefined"],"v":1}}', 'Undefined', 'UNDEFINED'],
  ['{"json":[1,[2,"x"],{}]}', 'list', '[1, [2, "x"], {}]'],
  ['{"json":{"page":12,"a b":null}}', 'dict', '{page: 12, "a b": None}'],
  ['{"json":[1,"a"],"meta":{"values":["set"],"v":1}}', 'set', '{1, "a"}'],
  ['{"json":[],"meta":{"values":["set"],"v":1}}', 'set', 'set([])'],
  ['{"json":[["a",1]],"meta":{"values":["map"],"v":1}}', 'Map', 'Map({"a": 1})'],
  ['{"json":[[1,"one"]],"meta":{"values":["map"],"v":1}}', 'dict', 'Map({1: "one"})'],
  ['{"json":"2026-01-31T09:30:00.000Z","meta":{"values":["Date"],"v":1}}', 'datetime', '2026-01-31 09:30'],
  ['{"json":"/a\\\\/b/i","meta":{"values":["regexp"],"v":1}}', 'Pattern', '/a\\/b/i'],
  ['{"json":"https://a.example/?x=1","meta":{"values":["URL"],"v":1}}', 'Url', 'https://a.example/?x=1'],
  [
    '{"json":{"name":"ValueError","message":"no"},"meta":{"values":["Error"],"v":1}}',
    'ValueError',
    'ValueError: no'
  ],
  ['{"json":{"name":"OddError","message":"no"},"meta":{"values":["Error"],"v":1}}', 'Error', 'OddError: no']
];

describe('a stored value', () => {
  it.each(STORED)('%s is a %s on one line', (text, type, line) => {
    expect(typeName(read(text))).toBe(type);
    expect(short(read(text))).toBe(line);
  });

  it.each(STORED)('%s comes back when it is written out, read and encoded', text => {
    expect(JSON.parse(encode(readLiteral(written(read(text)))))).toEqual(JSON.parse(text));
  });

  it('of many types within comes back too', () => {
    const value = {
      when: new Date('2026-01-31T09:30:00.123Z'),
      ids: new Set([1, 2n ** 70n, 'a', [1, 'b']]),
      'a.b\\c': [undefined, null, -0, NaN],
      big: 5n,
      by: new Map<unknown, unknown>([[new Date(0), { deep: new Set([new Set([1])]) }]]),
      text: 'tab\t, null \0, bidi \u202e, half \ud800, end',
      whole: 2 ** 60
    };
    expect(encode(readLiteral(written(value)))).toBe(encode(value));
  });

  it('that says what it shares is read, and written out twice', () => {
    const shared = '{"json":{"a":[1],"b":[1]},"meta":{"referentialEqualities":{"a":["b"]},"v":1}}';
    expect(encode(read(shared))).toBe('{"json":{"a":[1],"b":[1]}}');
  });
});

describe('what cannot be read is kept as the text it is:', () => {
  const bomb = {
    json: Array.from({ length: 40 }, () => [null, null]),
    meta: {
      v: 1,
      referentialEqualities: Object.fromEntries(
        Array.from({ length: 39 }, (_, index) => [String(39 - index), [`${38 - index}.0`, `${38 - index}.1`]])
      )
    }
  };
  it.each([
    ['no JSON', 'hello'],
    ['no superjson', '{"value":1}'],
    ['not even an object', '5'],
    ['a type nobody knows', '{"json":1,"meta":{"values":[["class","Thing"]],"v":1}}'],
    ['a path into the prototype', '{"json":{},"meta":{"values":{"__proto__.x":["Date"]},"v":1}}'],
    ['a regular expression of Python alone', '{"json":"/(?P<a>x)/","meta":{"values":["regexp"],"v":1}}'],
    ['a URL that is none', '{"json":"nowhere","meta":{"values":["URL"],"v":1}}'],
    ['a cycle', '{"json":{"a":null},"meta":{"referentialEqualities":[["a"]],"v":1}}'],
    ['much out of little', JSON.stringify(bomb)],
    [
      'more sharing than is worth the time',
      `{"json":[],"meta":{"referentialEqualities":{"0":["1"]},"v":1},"x":"${'x'.repeat(60_000)}"}`
    ]
  ])('%s', (_, text) => {
    const found = decode(text);
    expect('problem' in found ? found.text : found).toBe(text);
  });

  it('and nothing of it reaches the objects of the page', () => {
    decode('{"json":{"__proto__":{"polluted":1}},"meta":{"values":{"__proto__.polluted":["Date"]},"v":1}}');
    decode('{"json":{"a":{}},"meta":{"referentialEqualities":{"a":["__proto__.polluted"]},"v":1}}');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe('one line', () => {
  it('stops growing', () => {
    expect(
      short(
        Array.from({ length: 1000 }, (_, index) => index),
        20
      )
    ).toMatch(/^\[0, 1, 2, .{3,30}, …\]$/);
    expect(short('x'.repeat(1_000_000)).length).toBeLessThan(200);
    expect(short([[[[[[1]]]]]])).toBe('[[[[[…]]]]]');
    expect(short({ ['k'.repeat(100_000)]: 1 }).length).toBeLessThan(200);
  });

  it('has no line ends, and numbers for what cannot be seen', () => {
    expect(short('a\nb\u202ec\0\ufeff')).toBe('"a\\nb\\u202ec\\u0000\\ufeff"');
    expect(quoted('\u{e0041}x')).toBe('"\\udb40\\udc41x"');
    expect(['plain\ttext\n', 'a\rb', '\0', '\u200b', '\ud800', 'é😀'].map(needsEscapes)).toEqual([
      false,
      true,
      true,
      true,
      true,
      false
    ]);
  });
});

describe('parts', () => {
  it.each([
    [[5, 6], 2, ['0', '1']],
    [{ a: 1, b: 2 }, 2, ['a', 'b']],
    [
      new Map<unknown, unknown>([
        ['a', 1],
        [2, 3]
      ]),
      2,
      ['"a"', '2']
    ],
    [new Set([1]), 1, ['']],
    ['text', null, []],
    [null, null, []],
    [new Date(0), null, []]
  ])('of %j are %s', (value, count, labels) => {
    expect(size(value)).toBe(count);
    expect(parts(value).map(part => part.label)).toEqual(labels);
  });

  it('are some of them where there are many', () => {
    expect(
      parts(
        Array.from({ length: 100 }, () => 1),
        3
      )
    ).toHaveLength(3);
  });
});

describe('a search', () => {
  it('looks through keys and leaves at any depth, as they are shown', () => {
    const found = searched({ Title: 'Hello "World"', when: [new Date('2026-01-31T09:30:00Z')], yes: true });
    for (const word of ['title', 'hello "world"', '2026-01-31 09:30', 'true']) {
      expect(found).toContain(word);
    }
  });

  it('gives up on what is endless', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle, cycle);
    expect(searched(cycle).length).toBeLessThan(100_000);
  });
});

describe('a difference', () => {
  it('of two dicts is their entries that differ', () => {
    const found = differences(
      { page: 11, same: [1, { a: new Date(0) }], gone: 1 },
      { page: 12, same: [1, { a: new Date(0) }], next: 'x' }
    );
    expect(found?.map(change => [change.label, change.before?.value, change.after?.value])).toEqual([
      ['page', 11, 12],
      ['gone', 1, undefined],
      ['next', undefined, 'x']
    ]);
  });

  it('tells types apart', () => {
    expect(differences({ a: 5 }, { a: 5n })).toHaveLength(1);
    expect(differences({ a: [1] }, { a: new Set([1]) })).toHaveLength(1);
    expect(differences([1], [2])).toBeNull();
    expect(differences({ a: 1 }, new Map([['a', 2]]))).toBeNull();
  });
});

it('a moment is as short as it can be', () => {
  expect(moment(new Date('2026-01-31T09:30:15.000Z'))).toBe('2026-01-31 09:30:15');
  expect(moment(new Date('2026-01-31T09:30:15.250Z'))).toBe('2026-01-31 09:30:15.250');
  expect(moment(new Date(NaN))).toBe('not a date');
});
