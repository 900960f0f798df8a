// Reports as one HTML file that needs nothing else: text, tables and charts from data, drawn as static SVG. All strings
// that callers hand in are plain text; what they get back is markup, to be handed on to section() and page().

export { type Bar, type BarChart, barChart } from './bar-chart.js';
export { type LineChart, lineChart, type Series } from './line-chart.js';
export { escapeHtml, note, type Page, page, panels, paragraph, section } from './page.js';
export { type Column, type DataTable, dataTable } from './table.js';
export { TONES } from './tones.js';
