// From the profile: the link goes out by the method that the person chose, and the Security page goes on saying how and where.
import assert from "node:assert/strict";
import test from "node:test";
import { codeNow } from "./support/authenticator.mjs";
import { Inbox, LINK } from "./support/inbox.mjs";
import { look } from "./support/look.mjs";
import { Person, withBrowser } from "./support/person.mjs";
import { account } from "./support/place.mjs";
import { choose, codeSentTo, heading, press, signIn } from "./support/steps.mjs";
import { until } from "./support/until.mjs";

/**
 * Signs in, presses the button, and follows the link into a second window. `seen` is called with each window once there is
 * something to look at in it.
 */
const sendLink = async (person, inbox, { email, to, code, told, seen = () => {} }) => {
  const first = await person.window("/");
  await signIn(first, email, account(email).password, code);
  await press(first, "Send reset password link");
  // How far it has come is what it was when the page was made.
  await until("the message to be sent", async () => {
    await first.reload();
    return (await first.getByText(`${told}: sent`).count()) > 0;
  });
  await seen(first, "security-link-sent");
  const mail = await inbox.open(to, LINK);
  await seen(inbox.window, "inbox-profile-link");
  const second = await person.opened(() => mail.link(to === email ? "Reset My Password" : undefined).click());
  await second.getByLabel("New password").waitFor();
  return [first, second];
};

/** The first window is signed out now, and signs in with the new password. */
const signInAgain = async (first, email, password, code) => {
  await first.bringToFront();
  await first.reload();
  await heading(first, "Sign in");
  await signIn(first, email, password, code);
  assert.equal(await first.getByText("A link by").count(), 0);
};

await withBrowser(async (browser) => {
  await test("by email", async () => {
    const [email, password] = ["ada@example.com", "seven purple otters dance"];
    const person = await Person.arrive(browser);
    const inbox = await Inbox.of(person);
    const code = codeSentTo(inbox, email);
    const [first, second] = await sendLink(person, inbox, {
      email,
      to: email,
      code,
      told: "A link by email to a***@example.com",
      seen: (window, name) => look(person, window, name),
    });
    await choose(second, password);
    await signInAgain(first, email, password, code);
    await person.leave();
  });

  await test("by SMS, which asks for no code besides", async () => {
    const [email, phone, password] = ["grace@example.com", "+14155550101", "nine silent herons fishing"];
    const person = await Person.arrive(browser);
    const inbox = await Inbox.of(person);
    const code = codeSentTo(inbox, phone);
    const [first, second] = await sendLink(person, inbox, {
      email,
      to: phone,
      code,
      told: "A link by SMS to +*********01",
      seen: (window, name) => look(person, window, `${name}-sms`),
    });
    await choose(second, password);
    await signInAgain(first, email, password, code);
    await person.leave();
  });

  await test("by email to who has an app, whose code is asked for then", async () => {
    const email = "alan@example.com";
    const { totp_secret: secret } = account(email);
    const person = await Person.arrive(browser);
    const inbox = await Inbox.of(person);
    const [, second] = await sendLink(person, inbox, {
      email,
      to: email,
      code: () => codeNow(secret, 1),
      told: "A link by email to a***@example.com",
    });
    await choose(second, "forty amber lanterns drifting", await codeNow(secret));
    await person.leave();
  });
});
