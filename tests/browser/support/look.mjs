// What every page and state has to stand: whoever reads it, in whichever colours, on whichever screen, however slow the line.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dev, screenshots, shown, tool } from "./place.mjs";

const HEAVIEST = 50 * 1024;
const PHONE = { width: 380, height: 800, deviceScaleFactor: 2, mobile: true };
const SOURCE = readFileSync(tool.resolve("axe-core/axe.min.js"), "utf8");
const RULES = {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
  rules: { "target-size": { enabled: true } },
  // The mails' own HTML has no scripts, and axe therefore no way into it.
  iframes: false,
  preload: false,
};

mkdirSync(screenshots, { recursive: true });

/** What axe finds, run beside the page's own scripts, which see nothing of it, and past its policy, which stays in force. */
const violations = async (session) => {
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id });
  const evaluated = async (expression) => {
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
      contextId: executionContextId,
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) assert.fail(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  // Where scripts are switched off timers do not run.
  await evaluated(`globalThis.setTimeout = queueMicrotask; ${SOURCE}; undefined`);
  return evaluated(`axe.run(${JSON.stringify(RULES)}).then(({ violations, passes }) => {
    if (passes.length < 5) throw new Error("axe has hardly looked");
    return violations.flatMap(({ id, nodes }) => nodes.map((node) => [id, node.html, node.failureSummary].join("\\n")));
  })`);
};

/** Fails if the page is wider than the screen. */
export const fits = async (window) => {
  const [wide, screen] = await window.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= screen, `the page is ${wide} pixels wide, the screen ${screen}`);
};

/** Fails if a finger cannot hit something, or has to push the page aside (WCAG 2.2, 2.5.8 and 1.4.10). */
export const suitsFingers = async (window) => {
  await fits(window);
  const small = await window.evaluate(() => {
    const targets = [...document.querySelectorAll("a, button, input, summary")].filter((target) => target.checkVisibility());
    // A link in a sentence is as high as its line.
    const single = targets.filter((target) => getComputedStyle(target).display !== "inline");
    const sizes = single.map((target) => [target.outerHTML, target.getBoundingClientRect()]);
    return sizes.filter(([html, { width, height }]) => Math.min(width, height) < 24 && !html.includes("hidden")).map(([html]) => html);
  });
  assert.deepEqual(small, []);
};

/** What the window shows on a phone, whose points are of two by two pixels. */
const onPhone = async (session, window, path) => {
  await session.send("Emulation.setDeviceMetricsOverride", PHONE);
  await fits(window);
  const height = await window.evaluate(() => document.documentElement.scrollHeight);
  await session.send("Emulation.setDeviceMetricsOverride", { ...PHONE, height });
  const { data } = await session.send("Page.captureScreenshot", { format: "png" });
  writeFileSync(path, data, "base64");
  await session.send("Emulation.clearDeviceMetricsOverride");
};

/** What the README shows, each in one of the two themes and so high. */
const SHOWN = {
  "forgot-sent": ["light", 560],
  "inbox-mail": ["light", 660],
  "reset-good": ["light", 780],
  "security-link-sent": ["dark", 780],
};

const forReadme = async (window, name) => {
  const viewport = window.viewportSize();
  const [colorScheme, height] = SHOWN[name];
  await window.setViewportSize({ width: 640, height });
  await window.emulateMedia({ colorScheme });
  await window.screenshot({ path: join(shown, `${name}.png`) });
  await window.setViewportSize(viewport);
};

/** Judges what a window of this person shows, and takes pictures of it: NAME-light, NAME-dark, NAME-phone. */
export const look = async (person, window, name) => {
  await window.bringToFront();
  await fits(window);
  const session = await person.context.newCDPSession(window);
  const path = (way) => join(screenshots, `${name}-${way}.png`);
  for (const colorScheme of ["light", "dark"]) {
    await window.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    assert.deepEqual(await violations(session), [], `${name}, ${colorScheme}`);
    await window.screenshot({ path: path(colorScheme), fullPage: true });
  }
  if (shown && name in SHOWN) await forReadme(window, name);
  await window.emulateMedia({ colorScheme: "light" });
  await onPhone(session, window, path("phone"));
  await session.detach();
  if (window.url().startsWith(dev.console)) {
    const weight = await person.weight(window);
    assert.ok(weight <= HEAVIEST, `${name} weighs ${weight} bytes`);
  }
  person.hasNoComplaints();
};
