/** Details of an attempt as a kernel sends them, made of a few words a request. */

import type { Detail, LogRows, Source } from '../src/charts/wire';
import { words } from './rows';

export interface MadeRequest {
  seq: number;
  /** `store.set` */
  name?: string;
  detail?: string;
  line?: number | null;
  started?: number;
  duration_ms?: number | null;
  cpu_ms?: number | null;
  error?: string;
}

export interface MadeLog {
  /** Requests before it. */
  seq: number;
  time?: number;
  level?: string;
  line?: number | null;
  text?: string;
}

/** What would have been counted of the requests, unless `more` says otherwise. */
export function detailOf(
  id: number,
  requests: MadeRequest[],
  logs: MadeLog[] = [],
  more: Partial<Detail> = {}
): Detail {
  const named = requests.map(made => (made.name ?? 'store.set').split('.'));
  const totals = new Map<string, number>();
  requests.forEach((made, place) => {
    const key = JSON.stringify([made.line ?? null, ...(named[place] ?? [])]);
    totals.set(key, (totals.get(key) ?? 0) + 1);
  });
  const lines = [...totals.keys()].map(key => JSON.parse(key) as [number | null, string, string]);
  return {
    id,
    arguments: null,
    result: null,
    traceback: null,
    lines: {
      line: lines.map(([line]) => line),
      tool: words(lines.map(([, tool]) => tool)),
      operation: words(lines.map(([, , operation]) => operation)),
      requests: [...totals.values()]
    },
    requests: {
      seq: requests.map(made => made.seq),
      tool: words(named.map(([tool]) => tool ?? '')),
      operation: words(named.map(([, operation]) => operation ?? '')),
      detail: requests.map(made => made.detail ?? `key:${made.seq}`),
      line: requests.map(made => made.line ?? null),
      started: requests.map(made => made.started ?? 5 * made.seq),
      duration_ms: requests.map(made => (made.duration_ms === undefined ? 5 : made.duration_ms)),
      bytes_in: requests.map(() => 14),
      bytes_out: requests.map(() => 80),
      cpu_ms: requests.map(made => (made.cpu_ms === undefined ? made.seq / 10 : made.cpu_ms)),
      error: words(requests.map(made => made.error ?? ''))
    },
    logs: logsOf(logs),
    logs_left_out: 0,
    ...more
  };
}

export function logsOf(logs: MadeLog[]): LogRows {
  return {
    seq: logs.map(made => made.seq),
    time: logs.map(made => made.time ?? 5 * made.seq + 5),
    level: words(logs.map(made => made.level ?? 'info')),
    line: logs.map(made => made.line ?? null),
    text: logs.map(made => made.text ?? 'said')
  };
}

export function requestsOf(length: number, more: Partial<MadeRequest> = {}): MadeRequest[] {
  return Array.from({ length }, (_, place) => ({ seq: place + 1, ...more }));
}

/** As it is deployed from a cell whose first line is `%%twist`. */
export const CELL = `
class CalendarSync(Twist):
    """Says async def sync_page(self) here."""

    async def start_sync(self):
        await self.set("page", 1)

    @logged
    async def sync_page(self):
        page = await self.get("page")
        for item in range(50):
            await self.keep(item)

        await self.set("page", page + 1)

    # Each of them.
    async def keep(self, item):
        text = """
no indentation
"""
        await self.set(f"item:{item}", text)
        return item

    async def remind(self, item):
        print(item)
        print(item)
        print(item)
        print(item)
`;

export const SOURCE: Source = {
  twist: 'CalendarSync',
  version: 1,
  filename: '%%twist CalendarSync',
  text: CELL
};

/** Markup, a script, what reorders text, what acts on a terminal, a null byte. */
export const HOSTILE = '<img src=x onerror=alert(1)><script>alert(2)</script>\u202egnp.exe\u0000\u001b[31m';

/** Elements that nobody but a twist would have made. */
export function intruders(element: Element): Element[] {
  return [...element.querySelectorAll('img, script, iframe, a, b[onclick], [onerror], [onclick]')];
}

/** The button whose text holds another. */
export function named(element: Element, text: string): HTMLButtonElement {
  const found = [...element.querySelectorAll('button')].find(each => each.textContent?.includes(text));
  if (!found) {
    throw new Error(`there is no button ${text}`);
  }
  return found;
}
