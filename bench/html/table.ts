// Tables; wide ones scroll sideways within themselves, so that the page does not.

import { escapeHtml } from './page.js';

export interface Column {
  readonly head: string;
  /** Digits line up at the right. */
  readonly numeric?: boolean;
}

export interface DataTable {
  readonly title?: string;
  readonly columns: readonly Column[];
  /** As many cells as columns; fewer leave the rest empty. The first of each row is its head. */
  readonly rows: readonly (readonly string[])[];
  /** Numbers of rows that sum others up. */
  readonly strong?: readonly number[];
}

export function dataTable({ title, columns, rows, strong = [] }: DataTable): string {
  const kind = (i: number): string => (columns[i].numeric ? ' class="n"' : '');
  const head = columns.map((column, i) => `<th scope="col"${kind(i)}>${escapeHtml(column.head)}</th>`).join('');
  const body = rows.map((row, number) => {
    const cells = columns.map((_, i) => {
      const text = escapeHtml(row[i] ?? '');
      return i === 0 ? `<th scope="row"${kind(i)}>${text}</th>` : `<td${kind(i)}>${text}</td>`;
    });
    return `<tr${strong.includes(number) ? ' class="strong"' : ''}>${cells.join('')}</tr>`;
  });
  const caption = title === undefined ? '' : `<caption>${escapeHtml(title)}</caption>`;
  return (
    `<div class="scroll" tabindex="0"><table>${caption}<thead><tr>${head}</tr></thead>` +
    `<tbody>${body.join('')}</tbody></table></div>`
  );
}
