// A second opinion on signatures: reads {verify: [...], sign: [...]} from stdin,
// and answers with what the libraries of others say. The Go test in
// activitypub/httpsig starts it, so that both directions stand in one place.
import httpSignature from "@peertube/http-signature";
import { createSigner, createVerifier, httpbis } from "http-message-signatures";
import { createHash } from "node:crypto";

const digest = (body) => createHash("sha256").update(body).digest("base64");

// Only what the library needs of a node request.
function clientRequest({ method, url, headers }) {
  const all = new Map(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v]));
  const { pathname, search } = new URL(url);
  return { method, path: pathname + search, getHeader: (n) => all.get(n.toLowerCase()), setHeader: (n, v) => all.set(n.toLowerCase(), v), all };
}

async function verify({ dialect, method, url, headers, key, algorithm }) {
  const lower = Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v]));
  if (dialect === "cavage") {
    const { pathname, search } = new URL(url);
    const parsed = httpSignature.parseRequest({ method, url: pathname + search, headers: lower, httpVersion: "1.1" }, { authorizationHeaderName: "signature" });
    return httpSignature.verifySignature(parsed, key);
  }
  return await httpbis.verifyMessage(
    { keyLookup: async (p) => ({ id: p.keyid, algs: [algorithm], verify: createVerifier(key, algorithm) }), requiredParams: ["created", "keyid"] },
    { method, url, headers: lower },
  ) === true;
}

async function sign({ dialect, method, url, body, key, keyId, algorithm }) {
  const headers = { Host: new URL(url).host, Date: new Date().toUTCString() };
  if (method === "POST") headers["Content-Type"] = "application/activity+json";
  if (dialect === "cavage") {
    const names = ["(request-target)", "host", "date"];
    if (method === "POST") {
      headers.Digest = "SHA-256=" + digest(body);
      names.push("digest");
    }
    const request = clientRequest({ method, url, headers });
    httpSignature.signRequest(request, { key, keyId, algorithm, headers: names, authorizationHeaderName: "Signature" });
    return Object.fromEntries(request.all);
  }
  const fields = ["@method", "@target-uri"];
  if (method === "POST") {
    headers["Content-Digest"] = `sha-256=:${digest(body)}:`;
    fields.push("content-digest");
  }
  const signed = await httpbis.signMessage({ key: createSigner(key, algorithm, keyId), name: "sig1", fields, params: ["created", "keyid", "alg"] }, { method, url, headers });
  return signed.headers;
}

const attempt = (work) => Promise.all(work.map(async (run) => {
  try {
    return { ok: await run() };
  } catch (e) {
    return { error: String(e) };
  }
}));

let input = "";
for await (const chunk of process.stdin) input += chunk;
const asked = JSON.parse(input);
console.log(JSON.stringify({
  verify: await attempt(asked.verify.map((one) => () => verify(one))),
  sign: await attempt(asked.sign.map((one) => () => sign(one))),
}));
