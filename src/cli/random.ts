// Random numbers for guests: the host's, or for a deterministic run a sequence that never changes.

/** Fills an array of 32-bit words. */
export function randomWords(deterministic: boolean): (into: Uint32Array<ArrayBuffer>) => void {
  if (!deterministic) return (into) => void crypto.getRandomValues(into as Uint32Array<ArrayBuffer>);
  // xorshift32 (Marsaglia, "Xorshift RNGs", 2003).
  let x = 0x9e3779b9;
  return (into) => {
    for (let i = 0; i < into.length; i++) {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      into[i] = x;
    }
  };
}

/** Fills an array of bytes, of any length. */
export function randomBytes(deterministic: boolean): (into: Uint8Array<ArrayBuffer>) => void {
  const fill = randomWords(deterministic);
  return (into) => {
    const words = new Uint32Array(Math.ceil(into.length / 4));
    fill(words);
    into.set(new Uint8Array(words.buffer, 0, into.length));
  };
}
