// People, each with a browser profile of their own in one Chromium, and what their windows do meanwhile.
import assert from "node:assert/strict";
import { chromium, dev, tool } from "./place.mjs";

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Those whom the pages are allowed to ask for anything. */
const OWN = [dev.console, dev.inbox];

/** What a browser says when the page that it was sent is an error, and when a test reads in a mail, which may run nothing. */
const EXPECTED = /^Failed to load resource: the server responded with a status of 4|^Blocked script execution in .*\/html'/;

/** Runs `walk` with a Chromium that ends with it. */
export const withBrowser = async (walk) => {
  const playwright = tool("playwright-core").chromium;
  const browser = await playwright.launch({ executablePath: chromium(), args: ARGUMENTS });
  try {
    await walk(browser);
  } finally {
    await browser.close();
  }
};

export class Person {
  /** What no window of theirs should have done: errors, and requests to others. */
  complaints = [];
  /** Bytes on the wire of everything loaded, by its address. */
  weights = new Map();
  /** Bytes on the wire of the page that a window shows. */
  #documents = new WeakMap();

  /** Somebody who opens their browser. */
  static async arrive(browser, { scripts = true, ...options } = {}) {
    const context = await browser.newContext({
      locale: "en-US",
      viewport: { width: 1000, height: 800 },
      javaScriptEnabled: scripts,
      ...options,
    });
    context.setDefaultTimeout(30_000);
    return new Person(context, scripts);
  }

  constructor(context, scripts) {
    this.context = context;
    this.scripts = scripts;
    context.on("page", (window) => this.#watch(window));
    context.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol !== "data:" && !OWN.includes(url.origin)) this.complaints.push(`a request to ${url.origin}`);
    });
    context.on("requestfinished", (request) => this.#weigh(request));
  }

  #watch(window) {
    window.on("pageerror", (error) => this.complaints.push(error.message));
    window.on("crash", () => this.complaints.push("a window crashed"));
    window.on("console", (message) => {
      const text = message.text();
      if (["error", "warning"].includes(message.type()) && !EXPECTED.test(text)) this.complaints.push(text);
    });
  }

  async #weigh(request) {
    const weighing = request.sizes().then(
      (sizes) => sizes.responseHeadersSize + sizes.responseBodySize,
      () => undefined, // The window was closed meanwhile.
    );
    if (request.isNavigationRequest() && !request.frame().parentFrame()) {
      this.#documents.set(request.frame().page(), weighing);
    }
    const weight = await weighing;
    this.weights.set(request.url(), Math.max(weight ?? 0, this.weights.get(request.url()) ?? 0));
  }

  /** Bytes on the wire of the page that the window shows, for somebody who has never been there. */
  async weight(window) {
    const parts = await window.evaluate(() => {
      const parts = performance.getEntriesByType("resource");
      return parts.filter((part) => part.encodedBodySize && part.initiatorType !== "fetch").map((part) => part.name);
    });
    const weights = parts.map((part) => this.weights.get(part) || assert.fail(`nobody knows what ${part} weighs`));
    return weights.reduce((sum, weight) => sum + weight, await this.#documents.get(window));
  }

  /** A new window of theirs at this address of the console. */
  async window(path) {
    const window = await this.context.newPage();
    await window.goto(new URL(path, dev.console).href);
    return window;
  }

  /** The window that opens when they do this. */
  async opened(act) {
    const [window] = await Promise.all([this.context.waitForEvent("page"), act()]);
    await window.waitForLoadState();
    return window;
  }

  /** Fails if something went wrong that nobody saw. */
  hasNoComplaints() {
    assert.deepEqual(this.complaints, []);
  }

  /** Closes their browser. */
  async leave() {
    this.hasNoComplaints();
    await this.context.close();
  }
}
