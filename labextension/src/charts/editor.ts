/** A form to change a value by hand, or to add one. */

import { button, element, uniqueId } from './dom';
import { OVER } from './outcome';
import { clamp } from './scale';
import { block, messageOf } from './text';
import { draftOf, FLAGS, keyProblem, noteOn, prepare, typeNamed, TYPES } from './typed';
import type { EditorType } from './typed';
import type { Decoded } from './value';

/** What an editor is for, and what it does when it is done. */
export interface Editing {
  /** Null: it is still to be given. */
  key: string | null;
  stored: Decoded | null;
  /** What speaks against writing a key that could be written; null if nothing does. */
  doubt(key: string): string | null;
  save(key: string, text: string): Promise<void>;
  close(): void;
}

/** A form for one value. It sends nothing unless it is told to, and keeps what was typed until that is stored. */
export class Editor {
  readonly element: HTMLElement;
  private readonly key: HTMLInputElement | null = null;
  private readonly type: HTMLSelectElement;
  private readonly place = element('div', { class: 'pnb-edit-field' });
  private readonly hint = element('p', { class: 'pnb-edit-hint', id: uniqueId('hint') });
  private readonly keyProblem = element('p', {
    class: 'pnb-edit-problem',
    id: uniqueId('problem'),
    role: 'alert'
  });
  private readonly problem = element('p', {
    class: 'pnb-edit-problem',
    id: uniqueId('problem'),
    role: 'alert'
  });
  private readonly saveButton = button('Save', () => void this.save(), { class: 'pnb-primary' });
  private readonly cancelButton = button('Cancel', () => this.editing.close());
  private field: HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement | null = null;
  private doubted = '';
  private busy = false;
  /** How it stood before anything was typed. */
  private readonly untouched: string;

  constructor(private readonly editing: Editing) {
    const draft = editing.stored ? draftOf(editing.stored) : { type: typeNamed('text'), text: '' };
    const typeId = uniqueId('type');
    this.type = element(
      'select',
      { id: typeId },
      ...TYPES.map(type => element('option', { value: type.name }, type.label))
    );
    this.type.value = draft.type.name;
    const title = editing.key === null ? 'Add a value' : 'Edit the value';
    this.element = element('div', { class: 'pnb-edit', role: 'group', 'aria-label': title });
    if (editing.key === null) {
      const keyId = uniqueId('key');
      this.key = element('input', { id: keyId, type: 'text', autocomplete: 'off', spellcheck: 'false' });
      this.key.setAttribute('aria-describedby', this.keyProblem.id);
      this.element.append(element('label', { for: keyId }, 'Key'), this.key, this.keyProblem);
    }
    this.element.append(
      element('label', { for: typeId }, 'Type'),
      this.type,
      this.place,
      this.hint,
      this.problem,
      element('div', { class: 'pnb-edit-buttons' }, this.saveButton, this.cancelButton)
    );
    this.makeField(draft.text);
    this.untouched = this.written();
    this.saveButton.title = 'Enter, in a text of several lines Ctrl+Enter';
    this.type.addEventListener('change', () => this.retype());
    this.element.addEventListener('input', () => this.typed());
    this.element.addEventListener('keydown', event => this.pressed(event));
  }

  focus(): void {
    (this.key ?? this.field ?? this.type).focus();
  }

  private written(): string {
    return JSON.stringify([this.key?.value, this.type.value, this.field?.value]);
  }

  private get chosen(): EditorType {
    return typeNamed(this.type.value);
  }

  /** Another type for the same text, or for the same value written in the new way. */
  private retype(): void {
    const before = this.field?.value ?? '';
    this.makeField(before);
    this.say('');
  }

  private makeField(text: string): void {
    const type = this.chosen;
    const id = uniqueId('value');
    this.field = null;
    this.place.replaceChildren();
    this.hint.textContent = type.example && `For example ${type.example}`;
    if (type.field === null) {
      return;
    }
    if (type.field === 'flag') {
      this.field = element('select', { id }, ...FLAGS.map(flag => element('option', { value: flag }, flag)));
      this.field.value = /^\s*false\s*$/i.test(text) ? 'False' : 'True';
    } else if (type.field === 'line') {
      this.field = element('input', { id, type: 'text', autocomplete: 'off', spellcheck: 'false' });
      this.field.value = text;
    } else {
      this.field = element('textarea', { id, rows: rowsFor(text), spellcheck: 'false' });
      this.field.value = text;
    }
    this.field.setAttribute('aria-describedby', `${this.problem.id} ${this.hint.id}`);
    this.place.append(element('label', { for: id }, 'Value'), this.field);
    this.typed();
  }

  private typed(): void {
    const type = this.chosen;
    const note = this.field ? noteOn(type, this.field.value) : '';
    this.hint.textContent = note || (type.example && `For example ${type.example}`);
  }

  private pressed(event: KeyboardEvent): void {
    const isText = event.target instanceof HTMLTextAreaElement;
    if (
      event.key === 'Enter' &&
      event.target instanceof HTMLElement &&
      !(event.target instanceof HTMLButtonElement)
    ) {
      if (!isText || event.ctrlKey || event.metaKey) {
        event.preventDefault();
        void this.save();
      }
    } else if (event.key === 'Escape' && this.written() === this.untouched) {
      event.preventDefault();
      this.editing.close();
    }
    event.stopPropagation();
  }

  private async save(): Promise<void> {
    if (this.busy) {
      return;
    }
    const key = this.editing.key ?? this.key?.value ?? '';
    const wrong = keyProblem(key);
    const prepared = prepare(key, this.chosen, this.field?.value ?? '');
    this.sayOfKey(wrong ?? '');
    this.say('problem' in prepared ? prepared.problem : '');
    if (wrong !== null || 'problem' in prepared) {
      (wrong !== null ? (this.key ?? this.field) : this.field)?.focus();
      return;
    }
    const doubt = this.editing.doubt(key);
    if (doubt !== null && doubt !== this.doubted) {
      this.doubted = doubt;
      this.say(`${doubt} Save again if that is what you want.`);
      return;
    }
    this.setBusy(true);
    try {
      await this.editing.save(key, prepared.text);
      this.editing.close();
    } catch (error) {
      this.say(messageOf(error));
      this.setBusy(false);
    }
  }

  private setBusy(busy: boolean): void {
    this.busy = busy;
    this.saveButton.disabled = busy;
    this.saveButton.textContent = busy ? 'Saving…' : 'Save';
  }

  private say(problem: string): void {
    this.problem.textContent = problem && `${OVER} ${block(problem, 2000)}`;
    this.field?.setAttribute('aria-invalid', String(problem !== ''));
  }

  private sayOfKey(problem: string): void {
    if (this.key) {
      this.keyProblem.textContent = problem && `${OVER} ${block(problem, 2000)}`;
      this.key.setAttribute('aria-invalid', String(problem !== ''));
    } else if (problem) {
      this.say(problem);
    }
  }
}

/** Lines that a text takes in a narrow field, within reason. */
function rowsFor(text: string): number {
  const lines = text.slice(0, 2000).split('\n');
  const wrapped = lines.reduce((sum, line) => sum + 1 + Math.floor(line.length / 44), 0);
  return clamp(wrapped, 3, 14);
}
