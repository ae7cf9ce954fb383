// Measures pages with Lighthouse as a phone with a slow line sees them (its own
// simulation) and prints one line of JSON for each. Usage:
//   node measure.mjs CHROMIUM COOKIE ADDRESS...
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";
import puppeteer from "puppeteer-core";

const [chromium, cookie, ...addresses] = process.argv.slice(2);
for (const address of addresses) {
  // A browser of its own, which has seen nothing of it before.
  const chrome = await launch({
    chromePath: chromium,
    chromeFlags: ["--headless", "--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
  });
  try {
    if (cookie) { // among extra headers newer browsers leave it out
      const browser = await puppeteer.connect({ browserURL: `http://127.0.0.1:${chrome.port}` });
      const [name, value] = cookie.split("=");
      await (await browser.newPage()).setCookie({ name, value, url: address });
      await browser.disconnect();
    }
    const { lhr } = await lighthouse(address, {
      port: chrome.port,
      logLevel: "error",
      onlyCategories: ["performance", "accessibility"],
      disableStorageReset: true, // which would take the cookie away
    });
    const figure = (id) => lhr.audits[id].numericValue;
    console.log(JSON.stringify({
      address,
      performance: lhr.categories.performance.score,
      accessibility: lhr.categories.accessibility.score,
      lcp: figure("largest-contentful-paint"),
      cls: figure("cumulative-layout-shift"),
      tbt: figure("total-blocking-time"),
      nodes: figure("dom-size"),
      bytes: figure("total-byte-weight"),
      requests: lhr.audits["network-requests"].details.items.length,
      failed: Object.values(lhr.audits).filter((a) => a.score !== null && a.score < 1 && lhr.categories.accessibility.auditRefs.some((r) => r.id === a.id)).map((a) => a.id),
    }));
  } finally {
    chrome.kill();
  }
}
