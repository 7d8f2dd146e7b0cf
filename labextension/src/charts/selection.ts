/** Which attempt is selected, in all charts of a picture. */
export class Selection {
  private current: number | null;
  private readonly subscribers = new Set<(id: number | null) => void>();

  constructor(value: number | null = null) {
    this.current = value;
  }

  /** The attempt's `id`. */
  get value(): number | null {
    return this.current;
  }

  /** Select an attempt, or with null none; who listens hears of it if that is a change. */
  set(id: number | null): void {
    if (id === this.current) {
      return;
    }
    this.current = id;
    for (const tell of [...this.subscribers]) {
      tell(id);
    }
  }

  /** Returns what ends the subscription. */
  subscribe(changed: (id: number | null) => void): () => void {
    this.subscribers.add(changed);
    return () => void this.subscribers.delete(changed);
  }
}
