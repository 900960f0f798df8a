// Tables of text.

/**
 * Columns as wide as their widest cell, text to the left, numbers to the right; by default only the first is text. A last
 * column of text is not padded, so it may be long. The first row is the head.
 */
export function formatTable(rows: readonly (readonly string[])[], text: readonly boolean[] = [true]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (text[i] ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd();
  const [head, ...body] = rows.map(line);
  return [head, widths.map((width) => '-'.repeat(width)).join('  '), ...body].join('\n');
}
