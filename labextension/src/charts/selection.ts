/** Which attempt is selected, in all charts of a picture. */
export class Selection {
  private _value: number | null;
  private readonly _subscribers = new Set<(id: number | null) => void>();

  constructor(value: number | null = null) {
    this._value = value;
  }

  /** The attempt's `id`. */
  get value(): number | null {
    return this._value;
  }

  /** Select an attempt, or with null none; who listens hears of it if that is a change. */
  set(id: number | null): void {
    if (id === this._value) {
      return;
    }
    this._value = id;
    for (const tell of [...this._subscribers]) {
      tell(id);
    }
  }

  /** Returns what ends the subscription. */
  subscribe(changed: (id: number | null) => void): () => void {
    this._subscribers.add(changed);
    return () => void this._subscribers.delete(changed);
  }
}
