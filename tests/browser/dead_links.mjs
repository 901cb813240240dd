// A link works once, and looking at it uses nothing up.
import assert from "node:assert/strict";
import test from "node:test";
import { Inbox, LINK } from "./support/inbox.mjs";
import { look } from "./support/look.mjs";
import { Person, withBrowser } from "./support/person.mjs";
import { choose, fill, follow, heading, isDead, linkMail, press } from "./support/steps.mjs";

const EMAIL = "ada@example.com";

/** Somebody who has opened the mail with a link. */
const withLink = async (browser) => {
  const person = await Person.arrive(browser);
  const inbox = await Inbox.of(person);
  return [person, await linkMail(person, inbox, EMAIL), inbox];
};

await withBrowser(async (browser) => {
  await test("a used link leads to a new one", async () => {
    const [person, mail, inbox] = await withLink(browser);
    await choose(await follow(person, mail), "seven purple otters dance");
    const again = await follow(person, mail);
    await isDead(again);
    await again.getByLabel("Email").fill(EMAIL);
    await press(again, "Send a new link");
    await heading(again, "Look into your inbox");
    await choose(await follow(person, await inbox.open(EMAIL, LINK)), "drawers full of velvet");
    await person.leave();
  });

  await test("a link that is open in two windows works in the first that is used", async () => {
    const [person, mail] = await withLink(browser);
    const [first, second] = [await follow(person, mail), await follow(person, mail)];
    await choose(second, "nine silent herons fishing");
    await first.bringToFront();
    await fill(first, "forty amber lanterns drifting");
    await press(first, "Reset My Password");
    await isDead(first);
    await look(person, first, "link-used");
    await person.leave();
  });

  await test("who presses \u201cthis was not me\u201d ends the link", async () => {
    const [person, mail] = await withLink(browser);
    const notMe = await person.opened(() => mail.link("This was not me").click());
    await heading(notMe, "This was not me");
    assert.equal(new URL(notMe.url()).hash, "");
    await look(person, notMe, "cancel");
    await press(notMe, "Stop it");
    await heading(notMe, "It is stopped");
    await look(person, notMe, "cancelled");
    await isDead(await follow(person, mail));
    await person.leave();
  });

  await test("programs that open every link before the person does leave it as it is", async () => {
    const [person, mail] = await withLink(browser);
    const link = await mail.link("Reset My Password").getAttribute("href");
    for (let times = 0; times < 20; times += 1) {
      for (const method of ["GET", "HEAD"]) {
        const answer = await person.context.request.fetch(link, { method });
        assert.equal(answer.status(), 200);
      }
    }
    // Some of them run scripts, too.
    for (let times = 0; times < 3; times += 1) await (await follow(person, mail)).close();
    await choose(await follow(person, mail), "eleven crooked chimneys smoke");
    await person.leave();
  });

  await test("what cannot be a link, and what is no page, is told in words", async () => {
    const person = await Person.arrive(browser);
    const pasted = await person.window("/reset");
    await look(person, pasted, "reset-paste");
    await pasted.getByLabel("Link").fill("https://example.com/nothing");
    await press(pasted, "Continue");
    await isDead(pasted);
    const lost = await person.window("/nowhere");
    await heading(lost, "Nothing here");
    await look(person, lost, "not-found");
    const old = await person.window("/forgot-password");
    await old.locator("main input[name=form]").evaluate((field) => field.setAttribute("value", "another"));
    await old.getByLabel("Email").fill(EMAIL);
    await press(old, "Send link");
    await heading(old, "This page is too old");
    await look(person, old, "too-old");
    await person.leave();
  });
});
