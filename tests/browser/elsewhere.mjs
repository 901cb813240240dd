// A reset in one browser ends what is signed in in others, at whatever they do next.
import assert from "node:assert/strict";
import test from "node:test";
import { Inbox } from "./support/inbox.mjs";
import { Person, withBrowser } from "./support/person.mjs";
import { account, dev } from "./support/place.mjs";
import { choose, codeSentTo, follow, heading, linkMail, press, signIn } from "./support/steps.mjs";

const EMAIL = "ada@example.com";

/** Another browser in which the same person is signed in. */
const signedIn = async (browser) => {
  const person = await Person.arrive(browser);
  const inbox = await Inbox.of(person);
  const window = await person.window("/");
  await signIn(window, EMAIL, account(EMAIL).password, codeSentTo(inbox, EMAIL));
  return [person, window];
};

const session = async (person) => {
  const cookies = await person.context.cookies(dev.console);
  return cookies.some((cookie) => cookie.name === "relatch-session");
};

await withBrowser(async (browser) => {
  await test("a second browser is signed out at its next request, be it to read or to change something", async () => {
    const [reader, page] = await signedIn(browser);
    const [writer, form] = await signedIn(browser);
    await page.reload();
    await heading(page, "Security");
    assert.ok((await session(reader)) && (await session(writer)));

    const person = await Person.arrive(browser);
    const inbox = await Inbox.of(person);
    await choose(await follow(person, await linkMail(person, inbox, EMAIL)), "seven purple otters dance");

    await page.reload();
    await heading(page, "Sign in");
    await press(form, "Send reset password link");
    await heading(form, "Sign in");
    assert.ok(!(await session(reader)) && !(await session(writer)));
    for (const somebody of [reader, writer, person]) await somebody.leave();
  });
});
