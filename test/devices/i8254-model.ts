// A second, independent description of the 8254 to compare the device with.

/** One counter as the data sheet describes it: pulse by pulse. Binary, two-byte counts. */
export class PulseByPulse {
  out = false;
  element = 0;
  private register = 0;
  private gate = true;
  private mode = 0;
  private loadNext = false;
  private counting = false;
  private armed = false;
  private odd = false;
  private extraPulse = false;

  /** The element holds a count that may be compared: loaded, and nothing newer on its way. */
  get settled(): boolean {
    return this.counting && !this.loadNext;
  }

  control(mode: number): void {
    this.mode = mode;
    this.out = mode !== 0;
    this.counting = false;
    this.loadNext = false;
    this.register = 0;
    this.armed = false;
    this.extraPulse = false;
  }

  write(count: number): void {
    this.register = count;
    if (this.mode === 0) {
      this.out = false;
      this.counting = false;
    }
    if (this.mode === 1 || this.mode === 5) return;
    if (this.mode === 0 || this.mode === 4 || !this.counting) this.loadNext = true;
  }

  setGate(level: boolean): void {
    const rises = level && !this.gate;
    this.gate = level;
    const periodic = this.mode === 2 || this.mode === 3;
    if (!level && periodic) this.out = true;
    if (rises && (periodic || this.mode === 1 || this.mode === 5) && this.register > 0) this.loadNext = true;
  }

  private load(): void {
    this.element = this.mode === 3 ? this.register & ~1 : this.register;
    this.odd = (this.register & 1) !== 0;
    this.loadNext = false;
    this.counting = true;
    this.armed = true;
    this.extraPulse = false;
    if (this.mode === 1) this.out = false;
    if (this.mode === 2 || this.mode === 3) this.out = true;
    if (this.mode === 4 || this.mode === 5) this.out = true;
  }

  pulse(): void {
    if (this.loadNext) {
      this.load();
      return;
    }
    const gated = this.mode !== 1 && this.mode !== 5;
    const strobing = (this.mode === 4 || this.mode === 5) && !this.out;
    if (!this.counting || (gated && !this.gate)) return;
    if (strobing) this.out = true;
    if (this.mode === 3) this.squarePulse();
    else this.simplePulse();
  }

  private simplePulse(): void {
    this.element = (this.element + 0xffff) & 0xffff;
    if (this.mode === 2) {
      if (this.element === 1) this.out = false;
      if (this.element === 0) this.load();
    } else if (this.element === 0 && this.armed) {
      this.armed = false;
      this.out = this.mode < 2;
    }
  }

  private squarePulse(): void {
    if (!this.extraPulse) {
      this.element -= 2;
      if (this.element > 0) return;
      // A high half of an odd count ends one pulse later.
      this.extraPulse = this.odd && this.out;
      if (this.extraPulse) return;
    }
    const out = !this.out;
    this.load();
    this.out = out;
  }
}
