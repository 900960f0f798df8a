// What a core calls must not throw: an exception would unwind through the core, whose state would be left in the middle
// of an instruction.

/** A function of at most three numbers: a rest parameter would take longer than most of what is called. */
type Imported<T> = (a: number, b: number, c: number) => T;
/** Makes of `f` a function that answers `otherwise` where `f` throws. */
export type Guard = <T>(f: Imported<T>, otherwise: T) => Imported<T>;

/** `onError` gets what was thrown; it is to keep it for after the slice. */
export function guardWith(onError: (error: unknown) => void): Guard {
  return (f, otherwise) => (a, b, c) => {
    try {
      return f(a, b, c);
    } catch (error) {
      onError(error);
      return otherwise;
    }
  };
}
