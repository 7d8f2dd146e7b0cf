/** A chart as a file: SVG, PNG or CSV. */

import type { Chart, Table } from './chart';

/** A cell that a spreadsheet would take for a formula is kept from being one. */
const FORMULA = /^[=+\-@\t\r]/;

/** A table as CSV (RFC 4180). */
export function csv(table: Table): string {
  return [table.columns, ...table.rows].map(row => row.map(field).join(',') + '\r\n').join('');
}

function field(value: string | number | null): string {
  if (value === null) {
    return '';
  }
  if (typeof value === 'number') {
    return String(value);
  }
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

/** A drawing as the text of an SVG file. */
export function svgText(svg: SVGSVGElement): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(svg)}\n`;
}

/** A drawing as a PNG of twice its size. */
async function png(svg: SVGSVGElement): Promise<Blob> {
  const url = URL.createObjectURL(new Blob([svgText(svg)], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = image.width * 2;
    canvas.height = image.height * 2;
    const context = canvas.getContext('2d');
    if (context === null) {
      throw new Error('this browser gives no canvas to draw on');
    }
    context.scale(2, 2);
    context.drawImage(image, 0, 0);
    return await new Promise((resolve, reject) =>
      canvas.toBlob(blob => (blob ? resolve(blob) : reject(new Error('the picture is too large for a PNG'))), 'image/png')
    );
  } finally {
    URL.revokeObjectURL(url);
  }
}

export type Format = 'SVG' | 'PNG' | 'CSV';

/** Which files a chart can be had as. */
export function formats(chart: Chart): Format[] {
  return [...(chart.svg ? (['SVG', 'PNG'] as const) : []), ...(chart.table ? (['CSV'] as const) : [])];
}

/** Have the browser save a chart. */
export async function save(chart: Chart, format: Format, title: string): Promise<void> {
  const name = `${title} ${chart.name}`.replace(/[^\p{L}\p{N}]+/gu, '_').replace(/^_+|_+$/g, '');
  const blob = await contents(chart, format);
  if (blob !== null) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = `${name.slice(0, 80)}.${format.toLowerCase()}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }
}

async function contents(chart: Chart, format: Format): Promise<Blob | null> {
  if (format === 'CSV') {
    const table = chart.table?.();
    return table ? new Blob(['\ufeff', csv(table)], { type: 'text/csv;charset=utf-8' }) : null;
  }
  const svg = chart.svg?.();
  if (!svg) {
    return null;
  }
  return format === 'PNG' ? png(svg) : new Blob([svgText(svg)], { type: 'image/svg+xml' });
}
