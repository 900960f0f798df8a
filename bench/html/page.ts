// The page around charts and tables: light and dark as the reader's system is, one column on a telephone, and on paper
// without what only a screen can do.

import { DARK_TONES, LIGHT_TONES } from './tones.js';

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Plain text as markup. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (c) => ENTITIES[c]);

export const paragraph = (text: string): string => `<p>${escapeHtml(text)}</p>`;

/** Small print. */
export const note = (text: string): string => `<p class="note">${escapeHtml(text)}</p>`;

/** Parts that belong together under a heading. Parts are markup. */
export function section(title: string, ...parts: readonly string[]): string {
  return `<section><h2>${escapeHtml(title)}</h2>${parts.join('\n')}</section>`;
}

/** Figures side by side where there is room. Parts are markup. */
export const panels = (parts: readonly string[]): string => `<div class="panels">${parts.join('\n')}</div>`;

export interface Page {
  readonly title: string;
  /** What was measured, where and when: a line each. */
  readonly facts: readonly string[];
  /** Markup from section(). */
  readonly sections: readonly string[];
}

const LIGHT = `--paper:#ffffff;--ink:#1b1f24;--faint:#59636e;--rule:#dfe3e8;--panel:#f6f8fa;--whisker:#1b1f24;${LIGHT_TONES}`;
const DARK = `--paper:#14171c;--ink:#e6e9ee;--faint:#9aa4b1;--rule:#2e343d;--panel:#1b2027;--whisker:#ffffff;${DARK_TONES}`;

const STYLE = `
:root{color-scheme:light dark;${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1.5rem 1rem 4rem;max-width:70rem;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .5rem}
h2{font-size:1.15rem;margin:2.5rem 0 .5rem;padding-top:1rem;border-top:1px solid var(--rule)}
p{margin:.5rem 0;max-width:48rem}
.facts{margin:0;padding:0;list-style:none;color:var(--faint);font-size:.87rem}
.note,.unit{color:var(--faint);font-size:.8rem}
.unit{margin:.1rem 0}.unit.right{text-align:right;max-width:none}
figure{margin:1rem 0}
figcaption,caption{font-weight:600;text-align:left;margin-bottom:.3rem}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr));gap:1rem;margin:1rem 0}
.panels figure{margin:0;padding:.75rem;background:var(--panel);border-radius:6px;min-width:0}
.bar{display:grid;grid-template-columns:6.5rem minmax(0,1fr) 6.5rem;gap:.5rem;align-items:center;font-size:.82rem}
.panels .bar{grid-template-columns:4.8rem minmax(0,1fr) 4.6rem;gap:.35rem;font-size:.78rem}
.bar-label{text-align:right;overflow-wrap:anywhere;line-height:1.2}
.bar-value{font-variant-numeric:tabular-nums;line-height:1.2}
.track,.chart{display:block;width:100%;overflow:visible}
svg text{fill:var(--faint);font-size:11px;font-variant-numeric:tabular-nums}
.grid{stroke:var(--rule);stroke-width:1;vector-effect:non-scaling-stroke}
.base{stroke:var(--faint);stroke-width:1}
.whisker{stroke:var(--whisker);stroke-width:1.2}
.plot{display:grid;grid-template-columns:auto minmax(0,1fr);padding-right:8px}
.curve{fill:none;stroke-width:2;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;font-size:.82rem}
.key{display:inline-flex;align-items:center;gap:.4rem}
.scroll{overflow-x:auto;margin:.75rem 0}
table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top}
thead th{border-bottom:2px solid var(--rule);vertical-align:bottom;white-space:normal}
tbody th{font-weight:400}
tbody th:not(.n){min-width:6rem}
td:last-child:not(.n){min-width:16rem}
.n{text-align:right}
td.n{white-space:nowrap}
.strong th,.strong td{font-weight:600}
@media (max-width:32rem){
body{padding:1rem .75rem 3rem}
.bar{grid-template-columns:5rem minmax(0,1fr) 5rem;gap:.35rem;font-size:.78rem}
}
@media print{
:root{${LIGHT}}
body{max-width:none;padding:0;font-size:11px;-webkit-print-color-adjust:exact;print-color-adjust:exact}
figure,tr,.bar{break-inside:avoid}
h2{break-after:avoid}
.scroll{overflow:visible}
}`;

/** A whole document. It loads nothing, so it can be kept, sent and opened anywhere. */
export function page({ title, facts, sections }: Page): string {
  const lines = facts.map((fact) => `<li>${escapeHtml(fact)}</li>`).join('');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>${escapeHtml(title)}</h1><ul class="facts">${lines}</ul></header>
<main>
${sections.join('\n')}
</main>
</body>
</html>
`;
}
