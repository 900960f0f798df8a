// What a core calls must not throw: an exception would unwind through the core, whose state would be left in the middle
// of an instruction.

/** Makes of `f` a function that answers `otherwise` where `f` throws. */
export type Guard = <A extends number[], T>(f: (...args: A) => T, otherwise: T) => (...args: A) => T;

/** `onError` gets what was thrown; it is to keep it for after the slice. */
export function guardWith(onError: (error: unknown) => void): Guard {
  return (f, otherwise) =>
    (...args) => {
      try {
        return f(...args);
      } catch (error) {
        onError(error);
        return otherwise;
      }
    };
}
