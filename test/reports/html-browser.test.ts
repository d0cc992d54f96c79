// HTML reports in a real browser: nothing is asked for, nothing complains, plots are drawn, phones can read them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { Page } from 'playwright-core';
import { compareResults } from '../../lib/compare/compare.ts';
import type { Result } from '../../lib/result/result.ts';
import { fileReport, html } from '../../reports/index.ts';
import { hasChromium, type PageTester, startBrowser } from '../fixtures/browser.ts';
import * as conform from '../fixtures/conform-results.ts';
import { longStress } from '../fixtures/long-stress.ts';
import * as fixtures from '../fixtures/results.ts';
import { skipUnless } from '../require.ts';

const skip = skipUnless('chromium', hasChromium);
const timeout = 60_000;

const stalled = longStress({ seconds: 30, perSecond: 200, stalls: [11, 12] });
const quicker = longStress({ seconds: 30, perSecond: 200, middleMs: 0.8 });
const pages: Record<string, readonly Result[]> = {
  quick: [fixtures.quickFailed()],
  'stress of 30 s': [stalled],
  'stress with one row': [fixtures.stressLost()],
  'stress without a reply': [fixtures.stressSilent()],
  'stress, unreachable': [fixtures.stressUnreachable()],
  workers: [fixtures.stressWorkers()],
  conform: [conform.conformFailed()],
  'conform of several servers': [conform.conformAgents()],
  'before and after': [stalled, quicker],
  composed: [fixtures.quickFailed(), stalled, conform.conformFailed()],
  nothing: [],
  hostile: [fixtures.quickHostile(), fixtures.stressHostile(), conform.conformHostile(fixtures.hostileText)],
};

let tester: PageTester | undefined;
before(async () => {
  if (skip === false) tester = await startBrowser();
});
after(() => tester?.close());

const open: PageTester['open'] = (text, options) => {
  assert.ok(tester);
  return tester.open(text, options);
};

/** How many pixels of each canvas are not simply clear. */
function inkOf(page: Page): Promise<number[]> {
  return page.$$eval('figure.plot canvas', (canvases) =>
    canvases.map((canvas) => {
      const { width, height } = canvas as unknown as { width: number; height: number };
      const context = (
        canvas as unknown as {
          getContext(kind: string): {
            getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray };
          };
        }
      ).getContext('2d');
      const { data } = context.getImageData(0, 0, width, height);
      let ink = 0;
      for (let at = 3; at < data.length; at += 4) if ((data[at] ?? 0) > 0) ink++;
      return ink;
    }),
  );
}

const drawing = 'document.querySelector("canvas").toDataURL()';
const isWide = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';

for (const [name, results] of Object.entries(pages)) {
  test(`${name}: no request, no complaint, every plot drawn, at desk and phone`, {
    skip,
    timeout,
  }, async () => {
    const text = html(results, fileReport);
    const plots = text.split('<figure class="plot">').length - 1;
    for (const width of [1100, 360]) {
      const { page, complaints, requests } = await open(text, { viewport: { width, height: 900 } });
      const ink = await inkOf(page);
      assert.equal(ink.length, plots);
      for (const pixels of ink) assert.ok(pixels > 1000, `${pixels} pixels of a plot`);
      assert.equal(await page.evaluate(isWide), 0, `scrolls sideways at ${width}`);
      assert.deepEqual(requests, []);
      assert.deepEqual(complaints, []);
      await page.context().close();
    }
  });
}

test('a plot has a line of every colour it names', { skip, timeout }, async () => {
  const { page } = await open(html([stalled], fileReport));
  const found = await page.$eval('figure.plot canvas', (canvas) => {
    const drawn = canvas as unknown as {
      width: number;
      height: number;
      getContext(kind: string): {
        getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray };
      };
    };
    const { data } = drawn.getContext('2d').getImageData(0, 0, drawn.width, drawn.height);
    const colours = new Map<string, number>();
    for (let at = 0; at < data.length; at += 4) {
      const colour = `${data[at]},${data[at + 1]},${data[at + 2]},${data[at + 3]}`;
      colours.set(colour, (colours.get(colour) ?? 0) + 1);
    }
    return Object.fromEntries(colours);
  });
  // --line1, the round trips counted from when they were due; --line2 lies dashed under it.
  assert.ok((found['11,92,194,255'] ?? 0) > 100, JSON.stringify(Object.keys(found).slice(0, 20)));
  await page.context().close();
});

test('without JavaScript all tables are there, and a line says why there are no plots', {
  skip,
  timeout,
}, async () => {
  const { page, complaints } = await open(html([stalled, quicker], fileReport), { javaScriptEnabled: false });
  assert.ok(await page.getByText('rtt.p99').first().isVisible());
  assert.ok(await page.getByText('Round trip, intended').first().isVisible());
  assert.ok(await page.getByText('The plots need JavaScript').isVisible());
  assert.equal(await page.locator('canvas').count(), 0);
  assert.equal(await page.locator('a.download:visible').count(), 0);
  // Folded tables unfold without a script.
  await page.locator('summary', { hasText: 'The time line as a table' }).first().click();
  assert.ok(await page.locator('td', { hasText: /^200$/ }).first().isVisible());
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('in the dark the page and its plots are light on dark', { skip, timeout }, async () => {
  const { page, complaints } = await open(html([stalled], fileReport), { colorScheme: 'dark' });
  const colours = (): Promise<string[]> =>
    page.evaluate(`(() => {
      const { backgroundColor, color } = getComputedStyle(document.body);
      return [backgroundColor, color];
    })()`);
  assert.deepEqual(await colours(), ['rgb(14, 18, 23)', 'rgb(228, 233, 239)']);
  const dark = await page.evaluate(drawing);
  await page.emulateMedia({ colorScheme: 'light' });
  assert.deepEqual(await colours(), ['rgb(244, 246, 248)', 'rgb(27, 33, 41)']);
  await page.waitForTimeout(100);
  assert.notEqual(await page.evaluate(drawing), dark);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('it prints, in the dark too: on white, plots within the paper, and back afterwards', {
  skip,
  timeout,
}, async () => {
  const { page, complaints } = await open(html([stalled], fileReport), { colorScheme: 'dark' });
  await page.setViewportSize({ width: 680, height: 900 });
  await page.emulateMedia({ media: 'print' });
  const cut = await page.$$eval('.scroll', (all) =>
    all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.getAttribute('aria-label')),
  );
  assert.deepEqual(cut, [], 'tables that the paper cuts off');
  await page.setViewportSize({ width: 1100, height: 900 });
  await page.emulateMedia({ media: null });
  const pdf = await page.pdf({ format: 'A4' });
  assert.ok(pdf.byteLength > 20_000);
  assert.equal(pdf.subarray(0, 5).toString(), '%PDF-');
  const paper = await page.evaluate(`(async () => {
    dispatchEvent(new Event('beforeprint'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const plots = [...document.querySelectorAll('.uplot')].map(({ clientWidth }) => clientWidth);
    const white = getComputedStyle(document.documentElement).getPropertyValue('--card');
    dispatchEvent(new Event('afterprint'));
    return { white, widest: Math.max(...plots), isBack: !document.documentElement.classList.contains('paper') };
  })()`);
  assert.deepEqual(paper, { white: '#fff', widest: 660, isBack: true });
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('the keyboard reaches what the mouse does', { skip, timeout }, async () => {
  const { page } = await open(html([stalled], fileReport));
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate('document.activeElement.textContent'), 'Skip to the results');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate('location.hash'), '#main');
  const plot = page.locator('figure.plot').first();
  await plot.locator('.u-over').focus();
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowLeft');
  assert.match((await plot.locator('.u-legend').textContent()) ?? '', /^percentile99\.\d+ %/);
  const second = plot.locator('.u-legend th').nth(1);
  await second.focus();
  await page.keyboard.press('Enter');
  assert.equal(await plot.locator('.u-series.u-off').count(), 1);
  const scrolled = await page.$$eval('.scroll', (all) => all.map((one) => one.getAttribute('tabindex')));
  assert.ok(scrolled.every((index) => index === '0'));
  await page.context().close();
});

test('the JSON that is downloaded is the result', { skip, timeout }, async () => {
  const hostile = fixtures.stressHostile();
  const { page, complaints } = await open(html([hostile], fileReport));
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('a.download').click()]);
  assert.deepEqual(
    JSON.parse(readFileSync(await download.path(), 'utf8')),
    JSON.parse(JSON.stringify(hostile)),
  );
  assert.match(download.suggestedFilename(), /^[\w.-]+\.json$/);
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('hostile text neither runs nor makes elements', { skip, timeout }, async () => {
  const nasty =
    '</script><img src=x onerror=alert(1)><svg onload=alert(1)>"\'><!--<script>alert(1)</script>\u0000\u202e';
  const results = [
    fixtures.quickHostile(nasty),
    fixtures.stressHostile(nasty),
    conform.conformHostile(nasty),
  ];
  const comparison = compareResults(fixtures.quickHostile(nasty), fixtures.quickPassed());
  const { page, complaints, requests } = await open(html(results, { ...fileReport, comparison }));
  assert.equal(await page.locator('img').count(), 0);
  assert.deepEqual(
    await page.$$eval('script', (all) =>
      all.map((one) => one.getAttribute('type')).filter((type) => type !== 'application/json'),
    ),
    [null],
  );
  const onHandlers = await page.evaluate(
    '[...document.querySelectorAll("*")].filter((one) => one.getAttributeNames().some((name) => name.startsWith("on"))).length',
  );
  assert.equal(onHandlers, 0);
  assert.ok((await page.locator('body').textContent())?.includes('\\u{202e}'));
  assert.deepEqual(complaints, []);
  assert.deepEqual(requests, []);
  await page.context().close();
});
