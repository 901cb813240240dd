// What somebody who is signed in changes without a link: the password by the present one, and the address.
import test from "node:test";
import { ADDRESS_CODE, Inbox } from "./support/inbox.mjs";
import { look } from "./support/look.mjs";
import { Person, withBrowser } from "./support/person.mjs";
import { account } from "./support/place.mjs";
import { codeField, codeSentTo, heading, press, signIn } from "./support/steps.mjs";

const [EMAIL, NEW_EMAIL] = ["ada@example.com", "countess@example.com"];
const [PRESENT, NEW] = [account(EMAIL).password, "seven purple otters dance"];

const fill = async (window, present) => {
  await window.getByLabel("Present password").fill(present);
  await window.getByLabel("New password").fill(NEW);
  await window.getByLabel("The same once more").fill(NEW);
  await press(window, "Change password");
};

await withBrowser(async (browser) => {
  await test("password and address are changed, and good for the next sign-in", async () => {
    const person = await Person.arrive(browser);
    const inbox = await Inbox.of(person);
    const window = await person.window("/");
    await window.getByLabel("Email").fill(EMAIL);
    await press(window, "Continue");
    await window.getByLabel("Password", { exact: true }).fill(NEW);
    await press(window, "Sign in");
    await window.getByText("Email or password is wrong.").waitFor();
    await look(person, window, "password-wrong");
    await window.getByRole("link", { name: "Another address" }).click();
    await signIn(window, EMAIL, PRESENT, codeSentTo(inbox, EMAIL));

    await window.getByRole("link", { name: "Change password" }).click();
    await heading(window, "Change password");
    await look(person, window, "change");
    await fill(window, NEW);
    await window.getByText("Your present password is not this one.").waitFor();
    await look(person, window, "change-wrong");
    await fill(window, PRESENT);
    await heading(window, "Security");

    await window.getByRole("link", { name: "Email and phone" }).click();
    await heading(window, "Email and phone");
    // Whoever has changed the password has to prove the second factor anew.
    await look(person, window, "address-not-proved");
    await window.getByRole("link", { name: "Sign in" }).click();
    await signIn(window, EMAIL, NEW, codeSentTo(inbox, EMAIL));
    await window.getByRole("link", { name: "Email and phone" }).click();
    await look(person, window, "address");
    await window.getByLabel("New email").fill(NEW_EMAIL);
    await press(window, "Send a code to this email");
    await heading(window, "Enter the code");
    await look(person, window, "address-code");
    const code = await (await inbox.open(NEW_EMAIL, ADDRESS_CODE)).code();
    await window.bringToFront();
    await codeField(window).fill(code);
    await press(window, "Use this address from now on");
    await heading(window, "It is changed");
    await look(person, window, "address-done");

    await press(window, "Sign out");
    await heading(window, "Sign in");
    await signIn(window, NEW_EMAIL, NEW, codeSentTo(inbox, NEW_EMAIL));
    await person.leave();
  });
});
