// What people do in most walks, by mouse and in English.
import { CODE, LINK } from "./inbox.mjs";

export const heading = (window, name) => window.getByRole("heading", { level: 1, name, exact: true }).waitFor();

export const press = (window, name) => window.getByRole("button", { name, exact: true }).click();

/** The field for a code, whatever else may be entered into it. */
export const codeField = (window) => window.getByLabel(/^Code/);

/** Signs in on the page that the window shows; `code` is called once the page asks for one. */
export const signIn = async (window, email, password, code) => {
  await window.bringToFront();
  await window.getByLabel("Email").fill(email);
  await press(window, "Continue");
  await window.getByLabel("Password", { exact: true }).fill(password);
  await press(window, "Sign in");
  await codeField(window).waitFor();
  const entered = await code();
  await window.bringToFront();
  await codeField(window).fill(entered);
  await press(window, "Sign in");
  await heading(window, "Security");
};

/** Brings the code that is sent to this address. */
export const codeSentTo = (inbox, to) => async () => (await inbox.open(to, CODE)).code();

/** Asks for a link for a forgotten password, in a window that is closed then, and opens the mail. */
export const linkMail = async (person, inbox, email) => {
  const window = await person.window("/forgot-password");
  await window.getByLabel("Email").fill(email);
  await press(window, "Send link");
  await heading(window, "Look into your inbox");
  await window.close();
  return inbox.open(email, LINK);
};

/** Follows the link of a mail into a window of its own. */
export const follow = async (person, mail) => {
  const window = await person.opened(() => mail.link("Reset My Password").click());
  await window.getByLabel("New password").or(window.getByRole("heading", { name: "This link" })).waitFor();
  return window;
};

/** Fills in the new password, and a code if there is one. */
export const fill = async (window, password, code) => {
  await window.getByLabel("New password").fill(password);
  await window.getByLabel("The same once more").fill(password);
  if (code !== undefined) await codeField(window).fill(code);
};

/** Chooses a password that is taken. */
export const choose = async (window, password, code) => {
  await window.bringToFront();
  await fill(window, password, code);
  await press(window, "Reset My Password");
  await heading(window, "Your password was changed");
};

export const isDead = (window) => heading(window, "This link does not work any more");
