// A forgotten password, from the first window to the sign-in there: by mouse, by keys alone, on a phone, without scripts,
// in German. Each ends in the other language.
import assert from "node:assert/strict";
import test from "node:test";
import { finger, keys, mouse } from "./support/hands.mjs";
import { CODE, Inbox, LINK } from "./support/inbox.mjs";
import { look, suitsFingers } from "./support/look.mjs";
import { Person, withBrowser } from "./support/person.mjs";
import { dev } from "./support/place.mjs";
import { heading } from "./support/steps.mjs";
import { english, german } from "./support/words.mjs";

const EMAIL = "ada@example.com";
const WEAK = "password";

/** Looks around and takes pictures whose names end like this. */
const looking = (suffix) => (person, window, name) => look(person, window, name + suffix);
const feeling = (_, window) => suitsFingers(window);

/** Asks for a link in the first window, which they leave open, and says what it is. */
const ask = async (person, { hands, words, see }) => {
  const window = await person.window("/");
  await heading(window, words.signIn);
  await see(window, "sign-in");
  await hands.type(window, window.getByLabel(words.email), EMAIL);
  await hands.press(window, window.getByRole("button", { name: words.next }));
  await window.getByLabel(words.password, { exact: true }).waitFor();
  await see(window, "password");
  await hands.press(window, window.getByRole("button", { name: words.forgot }));
  await window.getByRole("button", { name: words.send }).waitFor();
  assert.equal(await window.getByLabel(words.email).inputValue(), EMAIL);
  await see(window, "forgot");
  await hands.press(window, window.getByRole("button", { name: words.send }));
  await heading(window, words.sent);
  await window.getByText(words.ifAccount).waitFor();
  await see(window, "forgot-sent");
  return window;
};

/** Follows the link in the mail into a second window. */
const follow = async (person, inbox, { hands, words, see }) => {
  const mail = await inbox.open(EMAIL, LINK, (entry) => hands.press(inbox.window, entry));
  const link = mail.link(words.resetInMail);
  await link.waitFor();
  await see(inbox.window, "inbox-mail");
  const window = await person.opened(() => hands.press(inbox.window, link));
  if (!person.scripts) {
    // The token is where no server sees it: it has to be pasted.
    await see(window, "reset-link");
    await hands.type(window, window.getByLabel(words.link), await link.getAttribute("href"));
    await hands.press(window, window.getByRole("button", { name: words.next }));
  }
  await window.getByLabel(words.newPassword).waitFor();
  if (person.scripts) assert.equal(window.url(), `${dev.console}/reset`);
  assert.match(await window.locator("main").innerText(), /a\*\*\*@example\.com/);
  await see(window, "reset");
  return window;
};

/** Watches the rules while typing a password that is none, and then a good one. */
const choose = async (window, password, { hands, words, see }) => {
  const [first, second] = [window.getByLabel(words.newPassword), window.getByLabel(words.repeated)];
  const rule = (name, state) => window.locator(`[data-rule=${name}].${state}`);
  await hands.type(window, first, WEAK);
  await rule("TOO_SHORT", "broken").waitFor();
  await rule("COMMON", "broken").waitFor();
  await window.getByText(words.veryEasy).waitFor();
  await see(window, "reset-weak");
  await hands.type(window, first, password);
  await rule("TOO_SHORT", "kept").waitFor();
  await rule("TOO_WEAK", "kept").waitFor();
  assert.equal(await window.locator("[data-rule].kept").count(), await window.locator("[data-rule]").count());
  await window.getByText(words.veryHard).waitFor();
  await hands.press(window, window.getByRole("button", { name: words.show }));
  assert.equal(await first.getAttribute("type"), "text");
  await see(window, "reset-good");
  await hands.type(window, second, `${password}!`);
  await hands.press(window, window.getByRole("button", { name: words.reset }));
  assert.match(await second.evaluate((field) => field.validationMessage), words.differ);
  await hands.type(window, second, password);
};

/** Signs in where they began, with the code that is mailed to them. */
const signIn = async (window, inbox, password, { hands, words, see }) => {
  await window.bringToFront();
  await hands.press(window, window.getByRole("link", { name: words.signIn, exact: true }));
  await hands.type(window, window.getByLabel(words.email), EMAIL);
  await hands.press(window, window.getByRole("button", { name: words.next }));
  await hands.type(window, window.getByLabel(words.password, { exact: true }), password);
  await hands.press(window, window.getByRole("button", { name: words.signIn }));
  await window.getByLabel(words.code).waitFor();
  await see(window, "code");
  const code = await (await inbox.open(EMAIL, CODE, (entry) => hands.press(inbox.window, entry))).code();
  await window.bringToFront();
  await hands.type(window, window.getByLabel(words.code), code);
  await hands.press(window, window.getByRole("button", { name: words.signIn }));
  await heading(window, words.security);
  await see(window, "security");
  await hands.press(window, window.getByRole("button", { name: words.otherLanguage }));
  await heading(window, words.securityInIt);
};

const forgotten = async (person, password, { hands = mouse, words = english, at = () => {} }) => {
  const ways = { hands, words, see: (window, name) => at(person, window, name) };
  const inbox = await Inbox.of(person);
  const first = await ask(person, ways);
  const second = await follow(person, inbox, ways);
  if (person.scripts) {
    await choose(second, password, ways);
  } else {
    await hands.type(second, second.getByLabel(words.newPassword), password);
    await hands.type(second, second.getByLabel(words.repeated), password);
  }
  await hands.press(second, second.getByRole("button", { name: words.reset }));
  await heading(second, words.done);
  await ways.see(second, "reset-done");
  await signIn(first, inbox, password, ways);
  await person.leave();
};

await withBrowser(async (browser) => {
  await test("by mouse", async () => {
    await forgotten(await Person.arrive(browser), "seven purple otters dance", { at: looking("") });
  });
  await test("by keys alone, each time with the eye on what they would press", async () => {
    await forgotten(await Person.arrive(browser), "nine silent herons fishing", { hands: keys });
  });
  await test("on a phone", async () => {
    const phone = { viewport: { width: 380, height: 800 }, isMobile: true, hasTouch: true };
    await forgotten(await Person.arrive(browser, phone), "forty amber lanterns drifting", { hands: finger, at: feeling });
  });
  await test("without scripts, where the link is pasted", async () => {
    await forgotten(await Person.arrive(browser, { scripts: false }), "eleven crooked chimneys smoke", { at: looking("-plain") });
  });
  await test("in German", async () => {
    const person = await Person.arrive(browser, { locale: "de-DE" });
    await forgotten(person, "drei grüne Elche im Nebel", { words: german, at: looking("-german") });
  });
});
