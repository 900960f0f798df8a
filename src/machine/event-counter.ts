// Counts what happens, by name.

/** Adds up events by name. */
export class EventCounter {
  private readonly counts = new Map<string, number>();

  add(name: string, count = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + count);
  }

  toRecord(): Record<string, number> {
    return Object.fromEntries(this.counts);
  }
}
