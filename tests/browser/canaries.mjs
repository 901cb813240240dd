// Both journeys with passwords that nothing else has, and everything that a browser sends, keeps and remembers of them.
// Nothing is judged here: the findings go to the file FINDINGS, in which tests/it/browser searches.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import test from "node:test";
import { Inbox, LINK } from "./support/inbox.mjs";
import { Person, withBrowser } from "./support/person.mjs";
import { dev } from "./support/place.mjs";
import { choose, codeSentTo, follow, heading, linkMail, press, signIn } from "./support/steps.mjs";
import { Wire } from "./support/wire.mjs";

const EMAIL = "ada@example.com";
const PASSWORDS = ["canary-of-the-attic-71c40e", "canary-of-the-cellar-b3952d"];

/** What a page can reach of what a browser keeps. */
const kept = async () => {
  const requests = [];
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    requests.push(name, ...(await cache.keys()).map((request) => request.url));
  }
  return JSON.stringify([
    { ...localStorage },
    { ...sessionStorage },
    requests,
    await indexedDB.databases(),
    [document.cookie, document.referrer, location.href, window.name, history.state, history.length],
  ]);
};

/** What an entry of the history tells: its address, and for the browser itself with which one the navigation began. */
const remembered = ({ url, title, userTypedURL }) => JSON.stringify([url, title, userTypedURL]);

/** What is left of what this person did, by the place where it is. */
const findings = async (person, wire) => {
  const [history, storage] = [[], [JSON.stringify(await person.context.storageState({ indexedDB: true }))]];
  for (const window of person.context.pages()) {
    const session = await person.context.newCDPSession(window);
    const { entries } = await session.send("Page.getNavigationHistory");
    history.push(...entries.map(remembered));
    storage.push(await window.evaluate(kept));
    await session.detach();
  }
  return { heads: wire.heads.join("\n\n"), history: history.join("\n"), storage: storage.join("\n") };
};

/** The tokens in a mail: the link's, and that of "this was not me". */
const tokens = async (mail) => {
  const links = [mail.link("Reset My Password"), mail.link("This was not me")];
  const addresses = await Promise.all(links.map((link) => link.getAttribute("href")));
  return addresses.map((address) => new URL(address).hash.slice(1));
};

/** Leaves the checklist the time to ask about the password. */
const chooseSlowly = async (window, password) => {
  await window.getByLabel("New password").fill(password);
  await window.locator("[data-rule=TOO_WEAK].kept").waitFor();
  await choose(window, password);
};

await withBrowser(async (browser) => {
  await test("both journeys, and then a page that tells everything", async () => {
    const wire = await Wire.open();
    const person = await Person.arrive(browser, { proxy: wire.proxy });
    const inbox = await Inbox.of(person);
    const code = codeSentTo(inbox, EMAIL);

    const forgotten = await linkMail(person, inbox, EMAIL);
    const secrets = await tokens(forgotten);
    await chooseSlowly(await follow(person, forgotten), PASSWORDS[0]);
    const first = await person.window("/");
    await signIn(first, EMAIL, PASSWORDS[0], code);

    await press(first, "Send reset password link");
    const asked = await inbox.open(EMAIL, LINK);
    secrets.push(...(await tokens(asked)));
    // A page that takes the token without sending it at once.
    const notMe = await person.opened(() => asked.link("This was not me").click());
    await heading(notMe, "This was not me");
    const second = await follow(person, asked);
    await chooseSlowly(second, PASSWORDS[1]);
    await first.bringToFront();
    await first.reload();
    await heading(first, "Sign in");
    await signIn(first, EMAIL, PASSWORDS[1], code);
    const clean = await findings(person, wire);
    const bodies = wire.bodies.slice();

    const [token] = secrets;
    await first.goto(`${dev.console}/nowhere?${Buffer.from(token).toString("base64url")}`);
    await first.evaluate((password) => {
      sessionStorage.setItem("draft", btoa(` ${password}`));
    }, PASSWORDS[0]);
    await first.goto(`${dev.console}/sign-in?${encodeURIComponent(PASSWORDS[1])}`);
    const leaking = await findings(person, wire);
    writeFileSync(process.env.FINDINGS, JSON.stringify({ tokens: secrets, passwords: PASSWORDS, clean, bodies, leaking }));
    await person.leave();
    wire.close();
    assert.equal(secrets.length, 4);
  });
});
