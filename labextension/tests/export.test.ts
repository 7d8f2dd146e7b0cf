// @vitest-environment jsdom
import { describe, expect, it } from 'vitest';

import { csv, svgText } from '../src/charts/export';

describe('a table as CSV', () => {
  it('has a line for the columns and one for each row', () => {
    expect(csv({ name: 'n', columns: ['a', 'b'], rows: [[1, 'x'], [null, 'y']] })).toBe('a,b\r\n1,x\r\n,y\r\n');
  });

  it('quotes what would end a cell', () => {
    expect(csv({ name: 'n', columns: ['a'], rows: [['x,"y"\nz']] })).toBe('a\r\n"x,""y""\nz"\r\n');
  });

  it.each(['=1+1', '+1', '-1', '@cmd', '\tx'])('makes no formula of a key such as %j', text => {
    expect(csv({ name: 'n', columns: ['key'], rows: [[text]] })).toBe(`key\r\n'${text}\r\n`);
  });

  it('leaves numbers as they are', () => {
    expect(csv({ name: 'n', columns: ['a'], rows: [[-1.5]] })).toBe('a\r\n-1.5\r\n');
  });
});

describe('a drawing as a file', () => {
  it('stands alone, and its texts are texts', () => {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    const text = document.createElementNS('http://www.w3.org/2000/svg', 'text');
    text.textContent = '<script>alert(1)</script>';
    svg.append(text);
    const written = svgText(svg);

    expect(written).toMatch(/^<\?xml/);
    expect(written).toContain('xmlns="http://www.w3.org/2000/svg"');
    expect(written).toContain('&lt;script&gt;');
    expect(written.match(/xmlns=/g)).toHaveLength(1);
  });
});
