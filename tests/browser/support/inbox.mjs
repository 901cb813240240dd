// The inbox page of `relatch dev`, as somebody reads in it.
import assert from "node:assert/strict";
import { dev } from "./place.mjs";
import { until } from "./until.mjs";

/** What messages are listed under. */
export const LINK = /^Reset your|zurücksetzen$|reset your password here/;
export const CODE = /^Your .* code$|^Ihr Code|your code to/;
export const CHANGED = /password was changed/;

export class Inbox {
  #read = new Set();

  constructor(person, window) {
    this.person = person;
    this.window = window;
  }

  /** Opens it in a window of its own; what is there already counts as read. */
  static async of(person) {
    const inbox = new Inbox(person, await person.window(dev.inbox));
    for (const entry of await inbox.#entries()) inbox.#read.add(await entry.getAttribute("href"));
    return inbox;
  }

  #entries() {
    return this.window.locator("nav li a").all();
  }

  /** Waits for a message to this address that was not read yet, and opens it. */
  async open(to, title, press = (entry) => entry.click()) {
    const { window, person } = this;
    await window.bringToFront();
    // Where there is no room for both, the message stands before the list.
    const all = window.getByRole("link", { name: "All messages" });
    if (await all.isVisible()) await press(all);
    const entry = await until(`a message to ${to}`, async () => {
      if (!person.scripts) await window.getByRole("link", { name: "Reload" }).click();
      for (const entry of await this.#entries()) {
        const [path, text] = [await entry.getAttribute("href"), await entry.innerText()];
        const listed = text.split("\n")[0];
        if (text.includes(to) && title.test(listed) && !this.#read.has(path)) return { path, entry };
      }
      return undefined;
    });
    this.#read.add(entry.path);
    await press(window.locator(`nav a[href="${entry.path}"]`));
    await window.waitForURL((url) => url.pathname === entry.path);
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
