/** The charts of one picture together: an overview above, the selected execution below, as in a browser's own tools. */

import { budgetChart } from './budget';
import { chainChart } from './chain';
import type { Chart, Context } from './chart';
import { button, element, setText, uniqueId } from './dom';
import { executionChart } from './execution';
import { formats, save } from './export';
import type { Journal } from './journal';
import { logsChart } from './logs';
import { HELD, NEAR, OK, OVER, RUNNING } from './outcome';
import { progressChart } from './progress';
import { Rest } from './rest';
import type { Giver } from './rest';
import { stateChart } from './state';
import { storeChart } from './store';
import { block, line, messageOf } from './text';
import type { Panel } from './wire';

type Make = (context: Context) => Chart;

interface Tab {
  name: string;
  charts: Make[];
  /** Whether the selected execution is shown below. */
  detailed: boolean;
  /** What it draws, where that is not the attempts. */
  of?: 'writes';
  /** Whether there is nothing to show in it. */
  empty?(journal: Journal): boolean;
}

const TABS: readonly Tab[] = [
  { name: 'Budget', charts: [budgetChart], detailed: true },
  { name: 'Chain', charts: [chainChart], detailed: true },
  { name: 'Store', charts: [storeChart], detailed: false, of: 'writes' },
  { name: 'Progress', charts: [progressChart], detailed: false, empty: journal => journal.progress === null },
  { name: 'Logs', charts: [logsChart], detailed: false },
  { name: 'State', charts: [stateChart], detailed: false }
];

const SINGLE: Record<Exclude<Panel, 'inspector'>, Make> = {
  budget: budgetChart,
  chain: chainChart,
  store: storeChart,
  execution: executionChart,
  progress: progressChart
};

export class Inspector {
  readonly element: HTMLElement;
  private readonly id = uniqueId('picture');
  private readonly heading = element('p', { class: 'pnb-heading' });
  private readonly remarks = element('p', { class: 'pnb-remarks' });
  private readonly spoken = element('p', { class: 'pnb-spoken', role: 'status' });
  private readonly body = element('div', { class: 'pnb-body' });
  private readonly menu = element('div', { class: 'pnb-menu' });
  private readonly charts: Chart[] = [];
  private readonly tabs = new Map<Tab, HTMLButtonElement>();
  private readonly shown = new Map<Tab, { panel: HTMLElement; charts: Chart[] }>();
  private readonly undo: (() => void)[] = [];
  /** Why the chain waits to be resumed, and how. */
  private readonly paused = element('p', { class: 'pnb-paused' });
  /** That Plot would suspend the twist for its rate. */
  private readonly rate = element('p', { class: 'pnb-rate' });
  /** What the first execution returned. */
  private readonly value = element('p', { class: 'pnb-value-of-run' });
  private readonly lower: HTMLElement | null = null;
  private readonly rest: Rest;
  private of: 'attempts' | 'writes' = 'attempts';
  private detailed = true;
  private wasRunning: boolean;
  /** Whether the user has chosen a tab: then it stays open. */
  private chosen = false;

  constructor(
    private readonly context: Context,
    panel: Panel,
    private readonly title: string,
    private readonly giver: Giver
  ) {
    this.rest = new Rest(context.journal, giver);
    this.wasRunning = context.journal.running;
    // JupyterLab would take the arrow keys for its own.
    this.element = element('div', { class: 'pnb', 'data-lm-suppress-shortcuts': 'true' });
    const head = element('div', { class: 'pnb-head' }, element('div', { class: 'pnb-words' }, this.heading, this.remarks));
    this.element.append(head, this.spoken, this.rate, this.paused, this.value, this.rest.element);
    if (panel === 'inspector') {
      head.append(this.makeTabs());
      this.lower = element('div', { class: 'pnb-lower' }, this.keep(executionChart(context)).element);
      this.element.append(this.body, this.lower);
      this.open(this.firstTab());
    } else {
      this.of = panel === 'store' ? 'writes' : 'attempts';
      const chart = this.keep(SINGLE[panel](context));
      this.body.append(chart.element);
      this.element.append(this.body);
      this.offer([chart]);
    }
    head.append(this.menu);
    this.undo.push(context.journal.subscribe(() => this.changed()));
    this.undo.push(context.kernel.subscribe(() => this.say()));
    this.selectSomething();
    this.say();
  }

  dispose(): void {
    this.undo.forEach(undo => undo());
    this.charts.forEach(chart => chart.dispose());
  }

  private keep(chart: Chart): Chart {
    this.charts.push(chart);
    return chart;
  }

  private changed(): void {
    const { running } = this.context.journal;
    if (this.wasRunning && !running) {
      if (this.tabs.size > 0 && !this.chosen) {
        this.open(this.firstTab());
      }
      this.selectSomething();
    }
    this.wasRunning = running;
    this.say();
  }

  /** What went wrong first, or was heaviest: nobody should have to look for it. */
  private selectSomething(): void {
    const { journal, selection } = this.context;
    if (selection.value === null && !journal.running && journal.length > 0) {
      const place = journal.firstFailure() ?? journal.heaviest();
      selection.set(place === null ? null : journal.attempt(place).id);
    }
  }

  private say(): void {
    const { journal } = this.context;
    const about = [line(this.title, 80), this.goesOn()].filter(part => part !== '').join(', ');
    const title = about === '' ? '' : `${about}: `;
    const [shape, state] = this.stand();
    const summary = journal.summary();
    this.heading.replaceChildren(
      element('span', { class: state, 'aria-hidden': 'true' }, shape),
      element('b', {}, ` ${title}`),
      element('bdi', {}, summary)
    );
    for (const [tab, made] of this.tabs) {
      made.hidden = tab.empty?.(journal) ?? false;
    }
    setText(this.remarks, journal.remarks().join(' '));
    setText(this.paused, journal.paused === null ? '' : `${HELD} ${block(journal.paused, 1000)}`);
    setText(this.rate, journal.rate === null ? '' : `${NEAR} ${block(journal.rate, 1000)}`);
    this.rate.hidden = journal.rate === null;
    this.paused.hidden = journal.paused === null;
    setText(this.value, journal.value === null ? '' : `Result: ${block(journal.value, 600)}`);
    this.value.hidden = journal.value === null;
    setText(this.spoken, journal.running ? about : `${title}${summary}`);
    this.rest.show(this.of);
    this.showLower();
  }

  /** A shape and its class. */
  private stand(): [shape: string, state: string] {
    const { running, failed, length, paused } = this.context.journal;
    if (running) {
      return [RUNNING, 'pnb-running'];
    }
    if (length === 0) {
      return [paused === null ? '–' : HELD, 'pnb-quiet'];
    }
    return failed ? [OVER, 'pnb-bad'] : [OK, 'pnb-ok'];
  }

  /** The selected execution, where there is any to select. */
  private showLower(): void {
    if (this.lower !== null) {
      this.lower.hidden = !this.detailed || this.context.journal.length === 0;
    }
  }

  private goesOn(): string {
    if (!this.context.journal.running) {
      return '';
    }
    return this.giver.following && this.giver.live ? 'running' : 'running when last heard of';
  }

  // tabs

  private firstTab(): Tab {
    const { length, running, scheduled } = this.context.journal;
    return TABS[length > 1 || running || scheduled.total > 0 ? 1 : 0] as Tab;
  }

  private makeTabs(): HTMLElement {
    const list = element('div', { class: 'pnb-tabs', role: 'tablist', 'aria-label': 'Views' });
    for (const tab of TABS) {
      const made = button(tab.name, () => this.choose(tab));
      made.className = 'pnb-tab';
      made.setAttribute('role', 'tab');
      made.id = `${this.id}-${tab.name}`;
      made.setAttribute('aria-controls', `${this.id}-panel-${tab.name}`);
      this.tabs.set(tab, made);
      list.append(made);
    }
    list.addEventListener('keydown', event => this.move(event));
    return list;
  }

  private move(event: KeyboardEvent): void {
    const shown = TABS.filter(tab => !this.tabs.get(tab)?.hidden);
    const at = shown.findIndex(tab => this.tabs.get(tab) === event.target);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (at >= 0 && next !== undefined) {
      event.preventDefault();
      const tab = shown[(next + shown.length) % shown.length] as Tab;
      this.choose(tab);
      this.tabs.get(tab)?.focus();
    }
  }

  private choose(tab: Tab): void {
    this.chosen = true;
    this.open(tab);
  }

  private open(tab: Tab): void {
    for (const [each, made] of this.tabs) {
      made.setAttribute('aria-selected', String(each === tab));
      made.tabIndex = each === tab ? 0 : -1;
    }
    if (!this.shown.has(tab)) {
      const charts = tab.charts.map(make => this.keep(make(this.context)));
      const panel = element('div', {
        class: 'pnb-panel',
        role: 'tabpanel',
        id: `${this.id}-panel-${tab.name}`,
        'aria-labelledby': `${this.id}-${tab.name}`
      });
      panel.append(...charts.map(chart => chart.element));
      this.body.append(panel);
      this.shown.set(tab, { panel, charts });
    }
    for (const [each, { panel, charts }] of this.shown) {
      panel.hidden = each !== tab;
      if (each === tab) {
        charts.forEach(chart => chart.redraw());
      }
    }
    this.detailed = tab.detailed;
    this.showLower();
    this.offer(this.shown.get(tab)?.charts ?? []);
    this.of = tab.of ?? 'attempts';
    this.rest.show(this.of);
  }

  // files

  private offer(charts: Chart[]): void {
    const buttons = charts.flatMap(chart =>
      formats(chart).map(format => {
        const made = button(format, () => void this.save(chart, format, made));
        made.title = `Save the ${chart.name} as ${format}`;
        made.setAttribute('aria-label', made.title);
        return made;
      })
    );
    this.menu.replaceChildren(...buttons);
  }

  private async save(chart: Chart, format: 'SVG' | 'PNG' | 'CSV', from: HTMLButtonElement): Promise<void> {
    try {
      await save(chart, format, this.title);
    } catch (error) {
      from.title = `It could not be saved: ${messageOf(error)}`;
      this.spoken.textContent = from.title;
    }
  }
}
