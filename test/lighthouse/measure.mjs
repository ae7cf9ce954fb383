// Measures pages with Lighthouse as a phone with a slow line sees them (its own
// simulation) and prints one line of JSON for each. Usage:
//   node measure.mjs CHROMIUM COOKIE ADDRESS...
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";

const [chromium, cookie, ...addresses] = process.argv.slice(2);
const chrome = await launch({
  chromePath: chromium,
  chromeFlags: ["--headless", "--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"],
});
try {
  for (const address of addresses) {
    const { lhr } = await lighthouse(address, {
      port: chrome.port,
      logLevel: "error",
      onlyCategories: ["performance", "accessibility"],
      extraHeaders: cookie ? { Cookie: cookie } : {},
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
  }
} finally {
  chrome.kill();
}
