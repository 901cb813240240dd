// A link that is not followed in time, against a service whose links live for one minute.
import test from "node:test";
import { Inbox, LINK } from "./support/inbox.mjs";
import { look } from "./support/look.mjs";
import { Person, withBrowser } from "./support/person.mjs";
import { choose, fill, follow, isDead, linkMail, press } from "./support/steps.mjs";

await withBrowser(async (browser) => {
  await test("a link ends while its page is open, and the page says so", async () => {
    const person = await Person.arrive(browser);
    const inbox = await Inbox.of(person);
    const mail = await linkMail(person, inbox, "ada@example.com");
    const window = await follow(person, mail);
    await window.getByText("The link works for one more minute.").waitFor();
    await window.getByText("The link does not work any more.").waitFor({ timeout: 90_000 });
    await window.getByRole("link", { name: "Send a new link" }).waitFor();
    await look(person, window, "reset-over");
    await fill(window, "seven purple otters dance");
    await press(window, "Reset My Password");
    await isDead(window);
    await look(person, window, "link-expired");
    await isDead(await follow(person, mail));
    await window.bringToFront();
    await window.getByLabel("Email").fill("ada@example.com");
    await press(window, "Send a new link");
    await choose(await follow(person, await inbox.open("ada@example.com", LINK)), "seven purple otters dance");
    await person.leave();
  });
});
