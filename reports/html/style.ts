// How a page looks: in the light, in the dark, on paper, on a phone. Colours are named once; no element carries a style.
import { uplotTexts } from './uplot.ts';

const light = `
--page:#f4f6f8;--card:#fff;--text:#1b2129;--muted:#57616d;--line:#d4dae1;--grid:#e6eaee;--link:#0a58b5;
--good:#126b33;--bad:#b3161d;--warn:#875300;--quiet:#57616d;
--good-back:#e3f5e8;--bad-back:#fde8e8;--warn-back:#fdf1d9;--quiet-back:#eceff2;
--line1:#0b5cc2;--line2:#c24d00;--line3:#7b35b8;--line4:#0f7a6b;--line5:#a11545;
--fill:rgba(11,92,194,.10);--band:rgba(90,105,125,.12);--code:#f0f2f5;`;

const dark = `
--page:#0e1217;--card:#161b22;--text:#e4e9ef;--muted:#9aa6b3;--line:#303a45;--grid:#252d37;--link:#6cb2ff;
--good:#56d17f;--bad:#ff8a85;--warn:#e7b34b;--quiet:#9aa6b3;
--good-back:#12301d;--bad-back:#3b1719;--warn-back:#372a0d;--quiet-back:#222a33;
--line1:#5aa9ff;--line2:#ffa04d;--line3:#c79bff;--line4:#45cdb8;--line5:#ff7fa6;
--fill:rgba(90,169,255,.14);--band:rgba(160,180,205,.12);--code:#1d242d;`;

const rules = `
:root{color-scheme:light;${light}}
@media (prefers-color-scheme:dark){:root:not(.paper){color-scheme:dark;${dark}}}
*,*::before,*::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-padding-top:1rem}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,"Noto Sans",sans-serif;overflow-wrap:anywhere}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:4px}
.skip{position:absolute;left:-999rem;top:.5rem;background:var(--card);padding:.5rem 1rem;z-index:2}
.skip:focus{left:.5rem}
header,main,footer{max-width:70rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:1.75rem}
footer{padding-top:.5rem;padding-bottom:2.5rem;color:var(--muted);font-size:.87rem}
.brand{margin:0;color:var(--muted);font-size:.8rem;letter-spacing:.08em;text-transform:uppercase}
h1{margin:.1rem 0 1rem;font-size:1.65rem;line-height:1.25;letter-spacing:-.012em}
h2{margin:0 0 .75rem;font-size:1.3rem;line-height:1.3}
h3{margin:0 0 .6rem;font-size:1.05rem}
h4{margin:1.2rem 0 .5rem;font-size:.95rem}
p{margin:.4rem 0}
nav{margin:0 0 1.25rem}
nav ul{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;margin:0;padding:0;list-style:none;font-size:.9rem}
section.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1.15rem 1.35rem 1.25rem;margin:0 0 1.1rem}
.run-title{margin:2.2rem 0 .9rem}
.verdict{background:var(--card);border:1px solid var(--line);border-left:8px solid var(--tone);border-radius:12px;padding:1.1rem 1.35rem;margin:0 0 1.1rem}
.verdict.good{--tone:var(--good);--tone-back:var(--good-back)}
.verdict.bad{--tone:var(--bad);--tone-back:var(--bad-back)}
.verdict.warn{--tone:var(--warn);--tone-back:var(--warn-back)}
.verdict .stamp{display:flex;flex-wrap:wrap;align-items:center;gap:.35rem .9rem;font-size:1.05rem;margin:0 0 .35rem}
.verdict .stamp b{background:var(--tone-back);color:var(--tone);border-radius:6px;padding:.1rem .65rem;font-size:1.1rem;letter-spacing:.03em}
.meta{color:var(--muted);font-size:.9rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.7rem;margin:.95rem 0 0}
.tiles div{border:1px solid var(--line);border-radius:9px;padding:.6rem .85rem;display:flex;flex-direction:column-reverse;justify-content:flex-end}
.tiles dt{color:var(--muted);font-size:.83rem}
.tiles dd{margin:0;font-size:1.5rem;line-height:1.25;font-weight:650;font-variant-numeric:tabular-nums;letter-spacing:-.01em}
.tiles dd small{font-size:.62em;font-weight:500;color:var(--muted)}
.says{list-style:none;margin:.8rem 0 0;padding:0;display:grid;gap:.4rem}
.says li{border-radius:7px;padding:.4rem .7rem;background:var(--quiet-back)}
.says li.bad{background:var(--bad-back)}.says li.warn{background:var(--warn-back)}.says li.good{background:var(--good-back)}
.mark{font-weight:600}
td .mark,summary .mark{white-space:nowrap}
th code{white-space:nowrap}
td .facts>div{grid-template-columns:5.5rem 1fr}
.mark.good{color:var(--good)}.mark.bad{color:var(--bad)}.mark.warn{color:var(--warn)}.mark.quiet{color:var(--quiet)}
.scroll{overflow-x:auto;margin:.35rem 0 .8rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.93rem;overflow-wrap:normal}
caption{text-align:left;color:var(--muted);font-size:.87rem;padding:0 0 .35rem}
th,td{padding:.36rem .7rem;text-align:left;vertical-align:top;border-top:1px solid var(--grid)}
thead th{border-top:0;border-bottom:1px solid var(--line);color:var(--muted);font-weight:600;font-size:.84rem;vertical-align:bottom}
tbody tr:first-child>*{border-top:0}
tbody th{font-weight:500}
th.right,td.right{text-align:right;white-space:nowrap}
th.wide,td.wide{min-width:15rem;overflow-wrap:anywhere}
tr.bad>*{background:var(--bad-back)}
tr.warn>*{background:var(--warn-back)}
tr.quiet>*{color:var(--muted)}
.facts{margin:0;display:grid;gap:0}
.facts>div{display:grid;grid-template-columns:minmax(7rem,12rem) 1fr;gap:.15rem 1rem;padding:.34rem 0;border-top:1px solid var(--grid)}
.facts>div:first-child{border-top:0}
.facts dt{color:var(--muted)}
.facts dd{margin:0;min-width:0}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.88em}
code{background:var(--code);border-radius:4px;padding:.08em .32em;overflow-wrap:anywhere}
pre{background:var(--code);border-radius:8px;padding:.7rem .9rem;overflow-x:auto;margin:.4rem 0;line-height:1.5;overflow-wrap:normal}
pre code{background:none;padding:0;font-size:1em}
pre.command{white-space:pre-wrap;overflow-wrap:anywhere;user-select:all}
.note{color:var(--muted);font-size:.9rem}
.dot{color:var(--muted)}
figure{margin:.2rem 0 1.4rem}
figcaption{color:var(--muted);font-size:.9rem;margin-top:.35rem}
figcaption strong{color:var(--text)}
.canvas{min-height:17.5rem}
.uplot{font:inherit}
.u-legend{font-size:.86rem;text-align:left;margin:0 0 0 .5rem;width:auto}
.u-legend th,.u-legend td{border:0;color:var(--text);font-size:inherit;vertical-align:middle}
.u-inline tr{margin-right:1rem}
.u-legend .u-value{min-width:4.5rem}
.u-legend th{font-weight:500}
.u-legend .u-marker{width:1.7em;height:0;border-width:3px 0 0!important;margin-right:.4em}
.u-legend tr:first-child .u-marker{display:none}
.u-hz .u-cursor-x,.u-hz .u-cursor-y{border-color:var(--muted)}
.nojs{display:none}
@media (scripting:none){.nojs{display:block}.canvas,.u-legend{display:none}.canvas{min-height:0}}
.bar{display:block;width:100%;min-width:8rem;height:1.1em}
.bar rect{fill:var(--line1)}
.phases{display:block;width:100%;height:14px;border-radius:5px;margin:.3rem 0 .2rem}
.phases rect{fill:var(--quiet);opacity:.35}
.phases rect:nth-child(even){opacity:.6}
.phases rect.measure{fill:var(--line1);opacity:1}
.whisker{display:block;width:9rem;height:1.3em}
.whisker .zero{stroke:var(--muted);stroke-width:1;stroke-dasharray:2 2}
.whisker .span{stroke:var(--muted);stroke-width:2}
.whisker .good{fill:var(--good)}.whisker .bad{fill:var(--bad)}.whisker .quiet{fill:var(--quiet)}
details{border:1px solid var(--line);border-radius:8px;padding:.45rem .85rem;margin:.55rem 0}
details[open]{padding-bottom:.7rem}
summary{cursor:pointer;font-weight:550}
details>summary~*{margin-top:.5rem}
.cells{display:flex;flex-wrap:wrap;gap:2px;min-width:11rem;max-width:30rem}
.cells i{font:600 10px/14px ui-monospace,Menlo,Consolas,monospace;width:14px;height:14px;text-align:center;border-radius:3px;text-decoration:none;background:var(--quiet-back);color:var(--quiet)}
.cells i.good{background:var(--good-back);color:var(--good)}
.cells i.bad{background:var(--bad);color:var(--card)}
.cells i.warn{background:var(--warn-back);color:var(--warn)}
@media (max-width:40rem){
header,main,footer{padding-left:.75rem;padding-right:.75rem}
h1{font-size:1.3rem}
section.card,.verdict{padding:.9rem .9rem 1rem;border-radius:10px}
.facts>div{grid-template-columns:1fr}
.tiles{grid-template-columns:repeat(auto-fit,minmax(7.5rem,1fr))}
.tiles dd{font-size:1.25rem}
th,td{padding:.34rem .5rem}
}
@media print{
:root{${light}--page:#fff}
body{font-size:10.5pt}
nav,.skip,.download,.u-legend .u-value{display:none}
header,main,footer{max-width:none;padding:0}
section.card,.verdict{border-radius:0;padding:.5rem .75rem}
.verdict,figure,tr,.tiles div{break-inside:avoid}
h2,h3,h4,caption{break-after:avoid}
.scroll{overflow:visible}
table{font-size:8.2pt}
th,td{padding:.22rem .35rem}
th.right,td.right{white-space:normal}
th.wide,td.wide{min-width:0}
.u-inline.u-live th::after{content:""!important}
pre{white-space:pre-wrap;overflow-wrap:anywhere}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
`;

/** The text of the style, the same for every report. */
export function styleText(): string {
  return `${uplotTexts().style}\n${rules}`;
}
