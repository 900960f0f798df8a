// A first-in first-out queue that cannot grow.

/** Holds at most `capacity` values of 0–65535 in memory that is allocated once. */
export class NumberQueue {
  private readonly slots: Uint16Array;
  private head = 0;
  private count = 0;

  constructor(readonly capacity: number) {
    this.slots = new Uint16Array(capacity);
  }

  get length(): number {
    return this.count;
  }

  get space(): number {
    return this.capacity - this.count;
  }

  /** False, and nothing stored, when full. */
  push(value: number): boolean {
    if (this.count === this.capacity) return false;
    this.slots[(this.head + this.count) % this.capacity] = value;
    this.count++;
    return true;
  }

  /** Removes and returns the oldest value; -1 when empty. */
  shift(): number {
    if (this.count === 0) return -1;
    const value = this.slots[this.head];
    this.head = (this.head + 1) % this.capacity;
    this.count--;
    return value;
  }

  /** The value `index` places behind the oldest one; -1 when there is none. */
  peek(index = 0): number {
    return index < this.count ? this.slots[(this.head + index) % this.capacity] : -1;
  }

  clear(): void {
    this.head = 0;
    this.count = 0;
  }

  /** Oldest first. */
  toArray(): Uint16Array {
    return Uint16Array.from({ length: this.count }, (_, i) => this.peek(i));
  }

  /** Replaces the contents; what exceeds the capacity is left out. */
  assign(values: ArrayLike<number>): void {
    this.clear();
    for (let i = 0; i < values.length && this.push(values[i]); i++);
  }
}
