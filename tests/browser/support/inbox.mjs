// The inbox page of `relatch dev`, as somebody reads in it.
import assert from "node:assert/strict";
import { dev } from "./place.mjs";
import { until } from "./until.mjs";

/** What messages are listed under. */
export const LINK = /^Reset your|zurücksetzen$|reset your password here/;
export const CODE = /^Your .* code$|^Ihr Code|your code to/;
export const ADDRESS_CODE = /^Verify your address/;

export class Inbox {
  #read = new Set();

  constructor(person, window) {
    this.person = person;
    this.window = window;
  }

  /** Opens it in a window of its own; what is there already counts as read. */
  static async of(person) {
    const inbox = new Inbox(person, await person.window(dev.inbox));
    for (const { path } of await inbox.#listed()) inbox.#read.add(path);
    return inbox;
  }

  /** The list as it is at one moment: it is live. */
  #listed() {
    return this.window.locator("nav li a").evaluateAll((entries) =>
      entries.map((entry) => ({
        path: entry.getAttribute("href"),
        title: entry.querySelector(".title").textContent,
        to: entry.querySelector(".to").textContent,
      })),
    );
  }

  /** Waits for a message to this address that was not read yet, and opens it. */
  async open(to, title, press = (entry) => entry.click()) {
    const { window, person } = this;
    await window.bringToFront();
    // Where there is no room for both, the message stands before the list.
    const all = window.getByRole("link", { name: "All messages" });
    if (await all.isVisible()) {
      await press(all);
      await all.waitFor({ state: "hidden" });
    }
    const { path } = await until(`a message to ${to}`, async () => {
      if (!person.scripts) await window.reload();
      const entries = await this.#listed();
      return entries.find((entry) => entry.to.endsWith(` ${to}`) && title.test(entry.title) && !this.#read.has(entry.path));
    });
    this.#read.add(path);
    await press(window.locator(`nav a[href="${path}"]`));
    await window.waitForURL((url) => url.pathname === path);
    const [frame, bubble] = [window.locator("article iframe"), window.locator("article .bubble")];
    await frame.or(bubble).waitFor();
    return new Message((await bubble.count()) ? bubble : frame.contentFrame().locator("body"));
  }
}

class Message {
  constructor(body) {
    this.body = body;
  }

  /** The link of these words; in a text message the only one. */
  link(words) {
    return words ? this.body.getByRole("link", { name: words }) : this.body.getByRole("link");
  }

  /** The code that it brings. */
  async code() {
    const [code] = /\b\d{6}\b/.exec(await this.body.innerText()) ?? assert.fail("there is no code in it");
    return code;
  }
}
