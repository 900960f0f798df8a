// What a workload prints, with the host's time of each line: guests/bench/runtime/runtime.c has the other side.

/** A workload that did not print what it should. */
export class MarkError extends Error {
  override readonly name = 'MarkError';
}

/** Lines are short; a guest that floods its console is cut off here. Characters. */
const LINE_LIMIT = 256;

/** Times the end of every round. Text may arrive in pieces; a line's time is that of its end. */
export class MarkReader {
  /** Milliseconds each round took. */
  readonly rounds: number[] = [];
  /** Time of "start", in the caller's milliseconds; undefined before. */
  started: number | undefined;
  checksum: string | undefined;
  /** Two marks came in one piece: one of them waited, and the times of both say nothing. */
  together = false;
  private previous = 0;
  private pending = '';

  /** `now` is in milliseconds. Throws a MarkError for a line that no workload prints. */
  feed(text: string, now: number): void {
    const lines = (this.pending + text).split('\n');
    this.pending = lines.pop() ?? '';
    for (const line of lines) this.line(line.replace(/\r$/, ''), now);
    if (lines.length > 1) this.together = true;
    if (this.pending.length > LINE_LIMIT) throw new MarkError(`endless line ${JSON.stringify(this.pending)}`);
  }

  private line(line: string, now: number): void {
    const round = /^round ([0-9a-f]{8})$/.exec(line);
    if (line === 'start' && this.started === undefined) {
      this.started = now;
    } else if (round && this.started !== undefined) {
      if (this.checksum !== undefined && this.checksum !== round[1]) {
        throw new MarkError(`checksum changed from ${this.checksum} to ${round[1]}`);
      }
      this.checksum = round[1];
      this.rounds.push(now - this.previous);
    } else {
      throw new MarkError(`unexpected output ${JSON.stringify(line.slice(0, LINE_LIMIT))}`);
    }
    this.previous = now;
  }
}
