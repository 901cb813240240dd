// Second factors: a reset asks for them, and five wrong codes end its link.
import assert from "node:assert/strict";
import test from "node:test";
import { codeNow, wrongCode } from "./support/authenticator.mjs";
import { Inbox } from "./support/inbox.mjs";
import { look } from "./support/look.mjs";
import { Person, withBrowser } from "./support/person.mjs";
import { account } from "./support/place.mjs";
import { choose, codeField, codeSentTo, fill, follow, heading, isDead, linkMail, press, signIn } from "./support/steps.mjs";

const WRONG = "This code is wrong, or it was used already.";

/** Sets up an app and says its secret and the recovery codes. */
const setUpApp = async (person, window) => {
  await window.getByRole("link", { name: "Second factor" }).click();
  await heading(window, "Second factor");
  await look(person, window, "factor");
  await press(window, "Set up an app");
  const secret = await window.locator("main code").innerText();
  assert.ok(await window.getByRole("img", { name: "QR code" }).isVisible());
  await look(person, window, "app");
  await codeField(window).fill(wrongCode(secret));
  await press(window, "Use this app from now on");
  await window.getByText(WRONG).waitFor();
  await look(person, window, "app-wrong-code");
  await codeField(window).fill(await codeNow(secret, 1));
  await press(window, "Use this app from now on");
  await heading(window, "Your recovery codes");
  await look(person, window, "recovery-codes");
  return [secret, await window.locator(".codes li").allInnerTexts()];
};

await withBrowser(async (browser) => {
  await test("an app is set up, and a reset asks for its code or a recovery code", async () => {
    const email = "ada@example.com";
    const person = await Person.arrive(browser);
    const inbox = await Inbox.of(person);
    const first = await person.window("/");
    await signIn(first, email, account(email).password, codeSentTo(inbox, email));
    const [secret, recovery] = await setUpApp(person, first);
    assert.equal(recovery.length, 10);
    await first.getByRole("link", { name: "Sign in" }).click();

    const second = await follow(person, await linkMail(person, inbox, email));
    await look(person, second, "reset-app");
    await fill(second, "seven purple otters dance", wrongCode(secret));
    await press(second, "Reset My Password");
    await second.getByText(WRONG).waitFor();
    await look(person, second, "reset-wrong-code");
    await choose(second, "seven purple otters dance", await codeNow(secret));

    const third = await follow(person, await linkMail(person, inbox, email));
    await choose(third, "nine silent herons fishing", recovery[0]);
    const fourth = await follow(person, await linkMail(person, inbox, email));
    await fill(fourth, "forty amber lanterns drifting", recovery[0]);
    await press(fourth, "Reset My Password");
    await fourth.getByText(WRONG).waitFor();

    await signIn(first, email, "nine silent herons fishing", async () => {
      await look(person, first, "code-app");
      return recovery[1];
    });
    assert.match(await first.locator("dl").innerText(), /Authenticator app[^]*Recovery codes left\s+8/);
    await look(person, first, "security-app");
    await first.getByRole("link", { name: "Second factor" }).click();
    await heading(first, "Second factor");
    await look(person, first, "factor-app");
    await press(first, "Make new recovery codes");
    await heading(first, "Your recovery codes");
    await look(person, first, "recovery-codes-renewed");
    await person.leave();
  });

  await test("with SMS a reset by email sends a code to the phone", async () => {
    const [email, phone] = ["grace@example.com", "+14155550101"];
    const person = await Person.arrive(browser);
    const inbox = await Inbox.of(person);
    const window = await follow(person, await linkMail(person, inbox, email));
    await fill(window, "eleven crooked chimneys smoke");
    await press(window, "Reset My Password");
    await window.getByText("Enter a code, too.").waitFor();
    await look(person, window, "reset-code-missing");
    await fill(window, "eleven crooked chimneys smoke");
    await press(window, "Send code");
    await window.getByText("A code is on its way to +*********01.").waitFor();
    await window.getByText("Enter a code, too.").waitFor({ state: "detached" });
    assert.equal(await window.getByLabel("New password").inputValue(), "eleven crooked chimneys smoke");
    await look(person, window, "reset-sms-code-sent");
    await choose(window, "eleven crooked chimneys smoke", await codeSentTo(inbox, phone)());
    const first = await person.window("/");
    await signIn(first, email, "eleven crooked chimneys smoke", codeSentTo(inbox, phone));
    await look(person, first, "security-sms");
    await person.leave();
  });

  await test("five wrong codes end the link", async () => {
    const email = "alan@example.com";
    const { totp_secret: secret, password } = account(email);
    const person = await Person.arrive(browser);
    const inbox = await Inbox.of(person);
    const window = await follow(person, await linkMail(person, inbox, email));
    for (let tries = 1; tries <= 5; tries += 1) {
      await fill(window, "seven purple otters dance", wrongCode(secret));
      await press(window, "Reset My Password");
      if (tries < 5) await window.getByText(WRONG).waitFor();
    }
    await isDead(window);
    await look(person, window, "link-dead");
    await signIn(await person.window("/"), email, password, () => codeNow(secret));
    await person.leave();
  });
});
