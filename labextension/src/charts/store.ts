/** The Store of a twist: what is in it, what was, who wrote it, and what an execution changed. */

import { follow } from './chart';
import type { Chart, Context, Drawing, Table } from './chart';
import { element, setAttribute, setText, uniqueId } from './dom';
import { Editor } from './editor';
import { Histories, isLock, isReserved, StoreHistory } from './history';
import { clamp } from './scale';
import { StoreBar } from './storebar';
import { find, itemsOf, keyId, kindsOf, Openness, Values } from './storeitems';
import type { Entry, Found, StoreItem } from './storeitems';
import { Pane } from './storepane';
import type { Subject } from './storepane';
import { cellsOf } from './storerow';
import type { RowMaker } from './storerow';
import { TimeBar } from './storetime';
import type { Moment } from './storetime';
import { changeWords, labelOf, StoreWords } from './storewords';
import { line } from './text';
import { TreeList } from './treelist';
import { counted } from './units';

/** Pixels of a line; the style sheet has the same. */
const ROW = 24;

export function storeChart(context: Context): Chart {
  return new StoreChart(context);
}

class StoreChart implements Chart {
  readonly name = 'Store';
  readonly element = element('div', { class: 'pnb-store' });
  private readonly words: StoreWords;
  private readonly values = new Values();
  private readonly histories = new Histories();
  private readonly openness = new Openness();
  private readonly drawing: Drawing;
  private readonly undo: (() => void)[];

  private readonly bar: StoreBar;
  private readonly tree: TreeList<StoreItem>;
  private readonly time: TimeBar;
  private readonly pane: Pane;
  private readonly side = element('div', { class: 'pnb-store-side' });
  private readonly note = element('p', { class: 'pnb-store-note' });
  private readonly summary = element('p', { class: 'pnb-spoken pnb-store-summary', id: uniqueId('store') });

  private twist: string | null = null;
  /** A step of the history; null: now, and along with what is written. */
  private pinned: number | null = null;
  private active: string | null = null;
  private paneClosed = false;
  private editor: Editor | null = null;
  private found: Found | null = null;
  private items: StoreItem[] = [];
  private drawn = '';
  private itemsDrawn = '';
  /** Counts what was opened, and what was learned. */
  private turns = 0;
  private scanned = 0;
  private readonly twistsRun = new Set<string>();
  private wasRunning: boolean;
  private begun = false;

  constructor(private readonly context: Context) {
    const { journal, kernel, selection } = context;
    this.words = new StoreWords(journal);
    this.wasRunning = journal.running;
    this.time = new TimeBar(
      step => this.go(step),
      attempt => selection.set(attempt)
    );
    this.pane = new Pane(this.values, {
      author: write => this.words.author(write),
      when: write => this.words.when(write),
      select: attempt => selection.set(attempt),
      go: write => this.go(this.history.stepWith(write)),
      ask: async write => {
        this.values.learn(await kernel.values([write.id]));
        this.turn();
      },
      edit: entry => this.edit(entry),
      remove: async entry => {
        await kernel.write(entry.write.twist, entry.key, null);
        this.tree.element.focus();
      },
      close: () => {
        this.paneClosed = true;
        this.turn();
        this.tree.element.focus();
      }
    });
    const maker: RowMaker = {
      values: this.values,
      author: write => this.words.author(write),
      select: attempt => selection.set(attempt)
    };
    this.tree = new TreeList<StoreItem>('Keys of the Store', {
      rowHeight: ROW,
      draw: item => cellsOf(item, maker),
      activated: item => this.activate(item),
      toggled: (item, open) => {
        this.openness.set(item.id, open);
        this.turn();
      },
      chosen: item => this.choose(item),
      key: (event, item) => this.pressed(event, item)
    });
    this.tree.element.setAttribute('aria-describedby', this.summary.id);
    this.bar = new StoreBar({
      changed: () => this.drawing.request(),
      chose: twist => this.choseTwist(twist),
      add: () => this.edit(null),
      goToSelected: () => this.goTo(selection.value),
      down: () => this.tree.element.focus()
    });
    this.assemble();
    this.drawing = follow(context, this.element, () => this.draw());
    this.undo = [
      selection.subscribe(id => this.selected(id)),
      kernel.subscribe(() => this.drawing.request()),
      journal.subscribe(() => this.ran())
    ];
  }

  redraw(): void {
    this.drawing.request();
  }

  dispose(): void {
    this.undo.forEach(undo => undo());
    this.drawing.dispose();
    this.tree.dispose();
    this.time.dispose();
  }

  table(): Table {
    this.update();
    const { history, step } = this;
    const rows = [...history.stateAt(step)]
      .filter(([key]) => this.bar.reserved || !isReserved(key))
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, write]) => [
        key,
        write.type,
        this.values.text(write),
        write.bytes,
        write.version,
        labelOf(this.words.author(write)),
        new Date(this.context.journal.origin + write.updated).toISOString()
      ]);
    return { name: 'Store', columns: ['key', 'type', 'value', 'bytes', 'version', 'by', 'updated'], rows };
  }

  private assemble(): void {
    const head = element(
      'div',
      { class: 'pnb-store-head', 'aria-hidden': 'true' },
      ...['key', 'value', 'type', 'size', 'by', 'v'].map((name, column) =>
        element('span', { class: `pnb-item-${COLUMNS[column]}` }, name)
      )
    );
    const list = element('div', { class: 'pnb-store-list' }, head, this.tree.element, this.note);
    this.side.append(this.pane.element);
    this.element.append(
      this.bar.element,
      this.time.element,
      element('div', { class: 'pnb-store-main' }, list, this.side),
      this.summary
    );
  }

  // what is shown

  private get history(): StoreHistory {
    return this.histories.of.get(this.twist ?? '') ?? NO_HISTORY;
  }

  private get steps(): number {
    return this.history.steps.length;
  }

  private get step(): number {
    return this.pinned ?? this.steps;
  }

  private get isNow(): boolean {
    return this.step >= this.steps;
  }

  /** Take in what was written. */
  private update(): void {
    const { journal } = this.context;
    if (this.histories.update(journal.writes)) {
      this.turns += 1;
    }
    for (; this.scanned < journal.length && this.twistsRun.size < MOST_TWISTS; this.scanned += 1) {
      this.twistsRun.add(journal.rawTwist(this.scanned));
    }
    const names = [...new Set([...this.histories.of.keys(), ...this.twistsRun])].sort();
    if (this.twist === null || !names.includes(this.twist)) {
      this.twist = names.find(name => this.histories.of.has(name)) ?? names[0] ?? null;
    }
    this.bar.offer(names, this.twist);
  }

  private draw(): void {
    this.begun = true;
    this.update();
    const view = {
      history: this.history,
      step: this.step,
      query: this.bar.query,
      onlyChanges: this.bar.onlyChanges,
      reserved: this.bar.reserved
    };
    const state = JSON.stringify([
      this.twist,
      view.step,
      view.query,
      view.onlyChanges,
      view.reserved,
      this.turns
    ]);
    if (state !== this.drawn || !this.found) {
      this.drawn = state;
      this.found = find(view, this.values);
      this.items = itemsOf(this.found, this.openness, this.values, view.query !== '');
    }
    const { found } = this;
    this.drawTree(state);
    this.drawTime(found);
    this.drawBar(found, view.query);
    this.drawPane(found);
  }

  private drawTree(state: string): void {
    const drawn = `${state} ${this.active}`;
    if (drawn !== this.itemsDrawn) {
      this.itemsDrawn = drawn;
      this.tree.element.style.height = `${clamp(this.items.length, 1, TALLEST) * ROW + 2}px`;
      this.tree.show(this.items, this.active);
    } else {
      this.tree.render();
    }
  }

  private drawTime(found: Found): void {
    const step = this.history.steps[this.step - 1];
    const last = this.history.writes[step?.last ?? -1];
    const author = last ? this.words.author(last) : null;
    const moment: Moment = {
      step: this.step,
      steps: this.steps,
      now: this.pinned === null,
      author,
      when: last ? this.words.when(last) : '',
      changes: kindsOf(found.changes),
      remark: this.remark()
    };
    this.time.element.hidden = this.steps === 0;
    this.time.draw(moment, this.history.steps);
  }

  /** What is to be known about the selected execution. */
  private remark(): string {
    const { selection, journal } = this.context;
    const index = journal.indexOf(selection.value);
    if (index < 0 || selection.value === null || this.history.steps[this.step - 1]?.by === selection.value) {
      return '';
    }
    const wrote = this.history.stepOf(selection.value) > 0;
    return wrote || this.pinned === null ? '' : `${this.words.nameOf(index)} wrote nothing here.`;
  }

  private drawBar(found: Found, query: string): void {
    const { journal, selection, kernel } = this.context;
    const index = journal.indexOf(selection.value);
    const step = selection.value === null ? 0 : this.history.stepOf(selection.value);
    this.bar.draw(found, {
      selected: index < 0 || step === 0 || step === this.step ? null : this.words.nameOf(index),
      canAdd: kernel.live && kernel.trusted && this.twist !== null,
      isNow: this.isNow
    });
    this.drawNote(found, query);
    const where = this.isNow ? 'now' : `after step ${this.step} of ${this.steps}`;
    const kinds = changeWords(kindsOf(found.changes));
    const name = line(this.twist, 80) || 'a twist';
    setText(this.summary, `Store of ${name}, ${where}: ${[counted(found.keys, 'key'), ...kinds].join(', ')}.`);
  }

  private drawNote(found: Found, query: string): void {
    const words = [this.words.leftOut()];
    if (found.entries.size === 0) {
      // What was there before the first write of all that is here, nobody can say.
      const gone = this.step === 0 ? 'Nothing was written yet.' : 'Nothing is left of what was written.';
      const never = this.steps === 0 ? 'Nothing was written to the Store.' : gone;
      const unchanged = this.bar.onlyChanges && found.keys > 0;
      words.unshift(query ? 'Nothing matches.' : unchanged ? 'Nothing changed here.' : never);
    }
    setText(this.note, words.join(' ').trim());
    this.note.hidden = this.note.textContent === '';
    this.tree.element.hidden = this.items.length === 0;
  }

  private drawPane(found: Found): void {
    this.pane.draw(this.editor || this.paneClosed ? null : this.subject(found));
    this.side.hidden = this.editor === null && this.pane.element.hidden;
    setAttribute(this.element, 'data-beside', this.side.hidden ? null : true);
  }

  private subject(found: Found): Subject | null {
    const item = this.tree.active;
    if (item === null || item.kind === 'more') {
      return null;
    }
    if (item.kind === 'folder') {
      return { kind: 'folder', item };
    }
    const entry = found.entries.get(item.entry.key) ?? item.entry;
    return {
      kind: 'key',
      id: item.id,
      entry,
      part: item.kind === 'part' ? item.part : null,
      versions: this.history.versions(entry.key, this.step),
      fixed: this.whyFixed(entry)
    };
  }

  /** Why a key cannot be changed by hand; empty where nobody would expect it. */
  private whyFixed({ key, write }: Entry): string | null {
    const { kernel } = this.context;
    if (!kernel.live) {
      return '';
    }
    if (!kernel.trusted) {
      return 'Trust this notebook to change values.';
    }
    if (isLock(key)) {
      return 'Locks are not changed by hand.';
    }
    if (!this.isNow) {
      return 'Go to now to change it.';
    }
    return write.type === 'cleared' ? '' : null;
  }

  // what is done

  private turn(): void {
    this.turns += 1;
    this.drawing.request();
  }

  private go(step: number | null): void {
    this.pinned = step;
    this.drawing.request();
  }

  private goTo(attempt: number | null): void {
    const { journal } = this.context;
    const index = journal.indexOf(attempt);
    if (attempt !== null && index >= 0) {
      this.update();
      this.go(this.history.stepAfter(attempt, journal.endedAt(index)));
    }
  }

  private ran(): void {
    if (this.context.journal.running) {
      this.wasRunning = true;
    } else if (this.wasRunning) {
      // Whoever selects something since the run has ended does it by then.
      queueMicrotask(() => (this.wasRunning = false));
    }
  }

  private selected(attempt: number | null): void {
    // At the end of a run something is selected by itself: that is no wish to see the Store as it was then.
    const byItself = !this.begun || (this.wasRunning && !this.context.journal.running);
    if (this.bar.follows && !byItself) {
      this.goTo(attempt);
    }
  }

  private choseTwist(twist: string): void {
    this.twist = twist;
    this.pinned = null;
    this.active = null;
    this.closeEditor();
    this.turn();
  }

  private activate(item: StoreItem): void {
    this.active = item.id;
    this.paneClosed = false;
    if (this.editor === null) {
      this.drawing.request();
    }
  }

  private choose(item: StoreItem): void {
    if (item.kind === 'more') {
      this.openness.listMore(item.within);
      this.turn();
    } else {
      this.paneClosed = false;
      this.drawing.request();
    }
  }

  private pressed(event: KeyboardEvent, item: StoreItem | null): boolean {
    if (item?.kind !== 'key' || this.whyFixed(item.entry) !== null) {
      return false;
    }
    if (event.key === 'F2') {
      this.edit(item.entry);
      return true;
    }
    if (event.key === 'Delete') {
      this.paneClosed = false;
      this.drawing.now();
      this.pane.askToDelete();
      return true;
    }
    return false;
  }

  /** Open a form for a key, or with null for a new one. */
  private edit(entry: Entry | null): void {
    const { twist } = this;
    const { kernel } = this.context;
    if (twist === null) {
      return;
    }
    if (entry !== null && this.values.of(entry.write) === null) {
      // It cannot be edited unread: the button that asks for it is right there.
      this.element.querySelector<HTMLButtonElement>('.pnb-show-all')?.focus();
      return;
    }
    this.closeEditor();
    const editor = new Editor({
      key: entry?.key ?? null,
      stored: entry && this.values.of(entry.write),
      doubt: key => this.doubt(twist, key, entry),
      save: (key, text) => kernel.write(twist, key, text).then(() => this.written(key)),
      close: () => this.closeEditor()
    });
    this.editor = editor;
    const title = entry === null ? 'Add a value' : `Edit ${line(entry.key, 400) || '(empty key)'}`;
    this.side.prepend(
      element(
        'div',
        { class: 'pnb-store-edit' },
        element('h4', { class: 'pnb-pane-head' }, element('bdi', {}, title)),
        editor.element
      )
    );
    this.drawing.now();
    editor.focus();
  }

  private doubt(twist: string, key: string, entry: Entry | null): string | null {
    this.update();
    const [last] = this.histories.of.get(twist)?.versions(key, Infinity) ?? [];
    return this.words.doubt(key, entry?.write ?? null, last ?? null);
  }

  private written(key: string): void {
    this.active = keyId(key);
    this.paneClosed = false;
    this.pinned = null;
  }

  private closeEditor(): void {
    if (this.editor) {
      this.editor = null;
      this.side.querySelector('.pnb-store-edit')?.remove();
      this.tree.element.focus();
      this.drawing.request();
    }
  }
}

const NO_HISTORY = new StoreHistory();
const MOST_TWISTS = 200;
const TALLEST = 18;
const COLUMNS = ['label', 'value', 'type', 'size', 'by', 'version'];
