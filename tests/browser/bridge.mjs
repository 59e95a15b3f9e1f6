// SPDX-License-Identifier: Apache-2.0
// Debian's chromium at the other end of a pipe: one JSON order a line in, one JSON answer a line out. The tests are in
// Python, so that they can use the command line between two looks at the page. What must never happen on any page is
// collected and told by `report`: requests that leave the origin, violations of the Content-Security-Policy, errors.
import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const place = process.env.STELLA_BROWSER;
const require = createRequire(join(place, 'node_modules', 'resolve-from-here.js'));
const { default: puppeteer } = await import(require.resolve('puppeteer-core'));
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  userDataDir: process.env.STELLA_BROWSER_PROFILE,
  // Nothing is looked up and nothing is called home: only 127.0.0.1 is there.
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    '--disable-background-networking', '--disable-component-update', '--no-first-run', '--lang=en', '--hide-scrollbars=false',
    '--js-flags=--expose-gc'],
});

const report = { outside: [], csp: [], errors: [] };
let origin = '', page = null, client = null;

async function open({ width = 1280, height = 900, script = true }) {
  if (page) await page.close();
  page = await browser.newPage();
  client = await page.createCDPSession();
  await page.setViewport({ width, height });
  await page.setJavaScriptEnabled(script);
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !/^(data|blob|about):/.test(url)) report.outside.push(url);
  });
  page.on('pageerror', (error) => report.errors.push(String(error.message)));
  page.on('console', (message) => { if (/Content.Security.Policy|Trusted/i.test(message.text())) report.csp.push(message.text()); });
  await client.send('Log.enable');
  client.on('Log.entryAdded', ({ entry }) => { if (entry.source === 'security' || entry.source === 'violation') report.csp.push(entry.text); });
  if (script) {
    await page.exposeFunction('tellViolation', (text) => { report.csp.push(text); });
    await page.evaluateOnNewDocument(() => {
      document.addEventListener('securitypolicyviolation', (event) => window.tellViolation(`${event.violatedDirective} ${event.blockedURI}`));
    });
  }
}

const orders = {
  open: async (order) => { origin = order.origin; await open(order); },
  go: async ({ address }) => {
    const answer = await page.goto(origin + address, { waitUntil: 'load', timeout: 60000 });
    return answer ? answer.status() : 200; // no answer: only the fragment is another one
  },
  evaluate: ({ text }) => page.evaluate(text),
  click: async ({ selector }) => { await page.click(selector); },
  clickAndGo: async ({ selector }) => {
    const [answer] = await Promise.all([page.waitForNavigation({ timeout: 60000 }), page.click(selector)]);
    return answer ? answer.status() : 0;
  },
  scripts: async ({ on }) => { await page.setJavaScriptEnabled(on); },
  press: async ({ key }) => { await page.keyboard.press(key); },
  type: async ({ text }) => { await page.keyboard.type(text); },
  wheel: async ({ selector, by }) => {
    const box = await (await page.$(selector)).boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.wheel({ deltaY: by });
  },
  upload: async ({ selector, path }) => { await (await page.$(selector)).uploadFile(path); },
  colours: async ({ value }) => { await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }]); },
  size: async ({ width, height }) => { await page.setViewport({ width, height }); },
  picture: async ({ path, clip }) => { await page.screenshot({ path, clip }); },
  downloads: async ({ folder }) => {
    const whole = await browser.target().createCDPSession();
    await whole.send('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: folder });
  },
  axe: async () => {
    await page.evaluate(axe);
    return page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations.map((v) => ({id: v.id, impact: v.impact, nodes: v.nodes.slice(0, 5).map((n) => n.html + ' ' + (n.any[0] ? n.any[0].message : ''))})))");
  },
  memory: async () => {
    await client.send('HeapProfiler.collectGarbage');
    const { JSHeapUsedSize, Nodes } = await page.metrics();
    return { heap: JSHeapUsedSize, nodes: Nodes };
  },
  report: () => report,
};

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  let answer;
  try {
    answer = { value: (await orders[order.do](order)) ?? null };
  } catch (error) {
    answer = { error: String(error.stack || error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
