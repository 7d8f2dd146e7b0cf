import { describe, expect, it } from 'vitest';

import { Journal } from '../src/charts/journal';
import { Link } from '../src/charts/link';
import type { Channel } from '../src/charts/link';
import type { Answer, Ask, Cursor, Picture, Rows } from '../src/charts/wire';
import { detailOf } from './details';
import { rowsOf } from './rows';

const START: Cursor = { attempt: 0, write: 0 };

/** Rows with one attempt for each id. */
function rows(from: Cursor | null, to: Cursor | null, ids: number[], running = true): Rows {
  return rowsOf(
    ids.map(id => ({ id })),
    { running, from, to }
  );
}

/** A kernel at the other end: it notes what is asked, and says what it is told to. */
class Far implements Channel {
  asks: Ask[] = [];
  private heard: (answer: Answer) => void = () => undefined;
  private closed: () => void = () => undefined;

  send(ask: Ask): void {
    this.asks.push(ask);
  }
  onAnswer(heard: (answer: Answer) => void): () => void {
    this.heard = heard;
    return () => (this.heard = () => undefined);
  }
  onClosed(closed: () => void): () => void {
    this.closed = closed;
    return () => undefined;
  }
  dispose(): void {}

  get view(): string {
    return this.asks[0]?.view ?? '';
  }
  say(answer: Answer): void {
    this.heard(answer);
  }
  push(some: Rows): void {
    this.say({ view: this.view, rows: some });
  }
  die(): void {
    this.closed();
  }
  asked<K extends Ask['ask']>(kind: K): Extract<Ask, { ask: K }>[] {
    return this.asks.filter((ask): ask is Extract<Ask, { ask: K }> => ask.ask === kind);
  }
}

function linked(far: Far | null = new Far()): { journal: Journal; link: Link; selected: (number | null)[]; pictures: Picture[] } {
  const journal = new Journal();
  const selected: (number | null)[] = [];
  const pictures: Picture[] = [];
  const link = new Link(journal, far, {
    trusted: () => true,
    picture: picture => void pictures.push(picture),
    selected: id => void selected.push(id)
  });
  return { journal, link, selected, pictures };
}

const at = (attempt: number): Cursor => ({ attempt, write: 0 });

describe('following', () => {
  it('begins after the last row that is here', () => {
    const far = new Far();
    const { journal, link } = linked(far);
    journal.apply(rows(START, at(7), [7]));
    link.follow();

    expect(far.asked('follow')).toMatchObject([{ after: at(7), running: [] }]);
  });

  it('asks again for rows that were lost on the way, and comes to the same', () => {
    const far = new Far();
    const { journal, link } = linked(far);
    link.follow();
    far.push(rows(START, at(1), [1]));
    far.push(rows(at(2), at(3), [3]));

    expect(journal.length).toBe(1);
    expect(far.asked('follow').at(-1)).toMatchObject({ after: at(1) });
    far.push(rows(at(1), at(3), [2, 3]));
    expect(journal.length).toBe(3);
  });

  it('takes rows that came before without doubling them', () => {
    const far = new Far();
    const { journal, link } = linked(far);
    link.follow();
    far.push(rows(START, at(2), [1, 2]));
    far.push(rows(START, at(3), [1, 2, 3]));

    expect(journal.length).toBe(3);
  });

  it('tells the kernel every 25 rows that somebody still looks', () => {
    const far = new Far();
    const { link } = linked(far);
    link.follow();
    for (let id = 1; id <= 60; id += 1) {
      far.push(rows(at(id - 1), at(id), [id]));
    }

    expect(far.asked('follow')).toHaveLength(3);
  });

  it('is not renewed when nothing runs any more', () => {
    const far = new Far();
    const { link } = linked(far);
    link.follow();
    for (let id = 1; id <= 60; id += 1) {
      far.push(rows(at(id - 1), at(id), [id], false));
    }

    expect(far.asked('follow')).toHaveLength(1);
  });

  it('leaves alone what is meant for another view of the same widget', () => {
    const far = new Far();
    const { journal, link } = linked(far);
    link.follow();
    far.say({ view: 'another', rows: rows(START, at(1), [1]) });

    expect(journal.length).toBe(0);
  });

  it('asks for the end of an attempt that was lost with the last rows, but not for ever', () => {
    const far = new Far();
    const { journal, link } = linked(far);
    link.follow();
    const running = rows(START, at(1), [1]);
    running.executions.outcome = { words: ['running'], at: [0] };
    running.executions.ended = [null];
    far.push(running);
    for (let again = 0; again < 9; again += 1) {
      far.push(rows(at(1), at(1), [], false));
    }
    const asked = far.asked('follow').slice(1);
    far.push(rows(at(1), at(1), [1], false));

    expect(asked.map(ask => ask.running)).toEqual([[1], [1], [1], [1], [1]]);
    expect(journal.unfinished()).toEqual([]);
  });
});

describe('asking', () => {
  it('puts a detail into the journal', async () => {
    const far = new Far();
    const { journal, link } = linked(far);
    const asked = link.detail(7);
    const { number, view } = far.asked('detail')[0]!;
    far.say({
      view,
      number,
      detail: detailOf(7, [], [], { result: '42' }),
      source: { twist: 'Sync', version: 1, filename: '%%twist Sync', text: 'class Sync(Twist): ...' }
    });
    await asked;

    expect(journal.detail(7)?.result).toBe('42');
    expect(journal.source('Sync', 1)?.text).toContain('class Sync');
  });

  it('says in words why the kernel refused', async () => {
    const far = new Far();
    const { link } = linked(far);
    const asked = link.write('Sync', 'k'.repeat(2000), '{"json":1}');
    const { number, view } = far.asked('write')[0]!;
    far.say({ view, number, error: 'the key is too long' });

    await expect(asked).rejects.toThrow('the key is too long');
  });

  it('looks for the rows of what it wrote, also when nothing runs', async () => {
    const far = new Far();
    const { link } = linked(far);
    const asked = link.write('Sync', 'key', '{"json":1}');
    const { number, view } = far.asked('write')[0]!;
    far.say({ view, number, done: true });
    await asked;

    expect(far.asked('follow')).toHaveLength(1);
  });

  it.each(['gone', 'closed'] as const)('fails when the kernel is %s, and nothing is live then', async how => {
    const far = new Far();
    const { link } = linked(far);
    let told = 0;
    link.subscribe(() => (told += 1));
    const asked = link.detail(7);
    if (how === 'gone') {
      far.say({ view: far.view, gone: true });
    } else {
      far.die();
    }

    await expect(asked).rejects.toThrow('run the cell again');
    expect([link.live, told]).toEqual([false, 1]);
    await expect(link.detail(8)).rejects.toThrow('run the cell again');
  });

  it('fails at once in a saved picture without a kernel', async () => {
    const { link } = linked(null);

    expect(link.live).toBe(false);
    await expect(link.values([1])).rejects.toThrow('run the cell again');
  });
});

describe('being told', () => {
  it('hears of a selection made in Python, and of the picture at the end', () => {
    const far = new Far();
    const { link, selected, pictures } = linked(far);
    link.follow();
    far.say({ view: null, selected: 12 });
    const picture: Picture = {
      ...{ format: 1, panel: 'inspector', title: 'Sync.start', source: null, selected: null, live: false },
      rows: rows(null, null, [1], false)
    };
    far.say({ view: far.view, picture });

    expect(selected).toEqual([12]);
    expect(pictures).toEqual([picture]);
  });

  it('hears nothing after it was disposed, and says so to the kernel', () => {
    const far = new Far();
    const { link, selected } = linked(far);
    link.follow();
    far.push(rows(START, at(1), [1]));
    link.dispose();
    far.say({ view: null, selected: 12 });

    expect(selected).toEqual([]);
    expect(far.asks.at(-1)).toMatchObject({ ask: 'close' });
  });
});
