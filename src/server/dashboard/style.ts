/** The style sheet: one file, system fonts, colours for light and dark, one narrow layout. */

export const STYLE = `
:root {
  color-scheme: light dark;
  --text: #1c2126; --quiet: #56606b; --line: #cfd6dd; --back: #ffffff; --panel: #f4f6f8; --link: #0b57a4;
  --good: #146c2e; --good-back: #dcf3e2; --busy: #7a4b00; --busy-back: #fdeecb;
  --bad: #a3161b; --bad-back: #fde1e1; --off: #4d5661; --off-back: #e6eaee; --bar: #2c8a4a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e6e9ec; --quiet: #a4afba; --line: #39424b; --back: #14181c; --panel: #1d2329; --link: #7db8f5;
    --good: #8fdca6; --good-back: #143522; --busy: #f3cb7a; --busy-back: #3a2c0c;
    --bad: #ffabab; --bad-back: #45191b; --off: #b6c0ca; --off-back: #2b333b; --bar: #54b873;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.45 system-ui, sans-serif; }
a { color: var(--link); }
a:focus-visible, button:focus-visible, input:focus-visible, select:focus-visible, summary:focus-visible,
.scroll:focus-visible, main:focus-visible { outline: 3px solid var(--link); outline-offset: 1px; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: .5rem; top: .5rem; background: var(--back); padding: .5rem; z-index: 3; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: baseline; padding: .6rem 1rem;
  border-bottom: 1px solid var(--line); background: var(--panel); }
.brand { font-weight: 700; text-decoration: none; color: var(--text); }
nav ul { display: flex; flex-wrap: wrap; gap: 0 1.2rem; margin: 0; padding: 0; list-style: none; }
nav a { display: inline-block; padding: .2rem 0; }
nav a[aria-current] { color: var(--text); font-weight: 600; text-decoration-thickness: 2px; }
#live-status { margin: 0 0 0 auto; color: var(--quiet); font-size: .85rem; }
main { padding: 0 1rem 3rem; max-width: 110rem; margin: 0 auto; }
h1 { font-size: 1.4rem; margin: 1rem 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 1.6rem 0 .5rem; }
.scroll { overflow: auto; max-width: 100%; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem; border-bottom: 1px solid var(--line);
  }
thead th { background: var(--panel); font-size: .82rem; color: var(--quiet); font-weight: 600;
  white-space: nowrap; }
tbody tr:last-child > * { border-bottom: 0; }
th[scope=row] { font-weight: 600; overflow-wrap: anywhere; min-width: 8rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.figures { font-variant-numeric: tabular-nums; white-space: nowrap; }
.why, .aliases, .nothing { color: var(--quiet); font-weight: 400; }
.why, .aliases, .message { font-size: .88rem; overflow-wrap: anywhere; }
.badge { display: inline-block; padding: 0 .45rem; border-radius: 4px; font-size: .85rem; font-weight: 600;
  white-space: nowrap; color: var(--off); background: var(--off-back); }
.badge.ready { color: var(--good); background: var(--good-back); }
.badge.working { color: var(--busy); background: var(--busy-back); }
.badge.failing { color: var(--bad); background: var(--bad-back); }
.cell-present { color: var(--good); background: var(--good-back); }
.cell-pulling, .cell-waiting { color: var(--busy); background: var(--busy-back); }
.cell-failed { color: var(--bad); background: var(--bad-back); font-weight: 700; }
.cell-skipped, .cell-unknown { color: var(--off); background: var(--off-back); }
meter { width: 5rem; height: .8rem; vertical-align: middle; }
meter::-webkit-meter-bar { background: var(--off-back); border: 1px solid var(--line); border-radius: 4px; }
meter::-webkit-meter-optimum-value { background: var(--bar); border-radius: 3px; }
.figures-list { display: flex; flex-wrap: wrap; gap: .6rem; margin: 0; }
.figures-list div { border: 1px solid var(--line); border-radius: 6px; padding: .5rem .9rem;
  min-width: 9rem; }
.figures-list dt, .facts dt, .labels dt { color: var(--quiet); font-size: .85rem; }
.figures-list dd { margin: 0; font-size: 1.25rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.facts, .labels { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr));
  gap: .5rem 1.5rem; margin: 0; }
.facts dd, .labels dd { margin: 0; overflow-wrap: anywhere; }
.names { columns: 14rem; margin: 0; padding-left: 1.2rem; }
.filters { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin: .5rem 0; }
.filters input[type=search], .filters select, .filters button { font: inherit; color: inherit;
  background: var(--panel);
  border: 1px solid var(--quiet); border-radius: 4px; padding: .2rem .4rem; max-width: 14rem; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; list-style: none; padding: 0; margin: 0 0 .6rem;
  font-size: .88rem; }
.cell { display: inline-block; vertical-align: middle; width: 1.5rem; text-align: center; border-radius: 3px;
  border: 1px solid var(--line); min-height: 1.3rem; }
.scroll:has(.matrix) { max-height: 85vh; }
.matrix { width: auto; font-size: .82rem; }
.matrix td { text-align: center; padding: .1rem 0; min-width: 1.3rem; border-left: 1px solid var(--line);
  white-space: nowrap; }
.matrix .group td { font-size: .72rem; }
.matrix td a { color: inherit; display: block; text-decoration: none; }
.matrix th[scope=row] { min-width: 0; padding: .15rem .6rem; position: sticky; left: 0; background: var(--back);
  white-space: nowrap; z-index: 1; }
.matrix .group > * { border-top: 2px solid var(--line); }
.matrix .group th { background: var(--panel); }
.matrix thead th { position: sticky; top: 0; z-index: 2; vertical-align: bottom; text-align: center;
  padding: .4rem .1rem; }
.matrix thead th:first-child { left: 0; z-index: 3; text-align: left; padding-left: .6rem; }
.matrix thead a { line-height: 1.2; writing-mode: vertical-rl; transform: rotate(180deg); text-decoration: none;
  max-height: 12rem;
  overflow: hidden; text-overflow: ellipsis; }
@media (max-width: 40rem) {
  .wide { display: none; }
  main { padding: 0 .6rem 2rem; }
  th, td { padding: .35rem .4rem; }
  meter { width: 3rem; }
  .filters label { flex: 1 1 100%; }
  .filters select, .filters input[type=search] { width: 100%; max-width: none; }
}
@media (prefers-reduced-motion: no-preference) { .changed { animation: changed 1.5s ease-out; } }
@keyframes changed { from { background: var(--busy-back); } }
@media print { header, .filters, .skip { display: none; } .scroll { overflow: visible; border: 0; } }
`;
