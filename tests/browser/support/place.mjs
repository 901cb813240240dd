// Where everything is, as tests/it/browser says by the environment.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";

const given = (name) => process.env[name] ?? assert.fail(`${name} is not set: tests/it/browser runs these walks`);

/** What `relatch dev` says of itself. */
export const dev = JSON.parse(readFileSync(given("DEV_JSON")));

/** Loads what scripts/setup.sh has installed. */
export const tool = createRequire(join(given("BROWSER_TOOLS"), "/"));

/** Where screenshots go. */
export const screenshots = given("SCREENSHOTS");

/** Where the few go that the README shows, when somebody asks for new ones. */
export const shown = process.env.RELATCH_SCREENSHOTS;

/** The first browser on the path, under the names that scripts/setup.sh looks for. */
export const chromium = () => {
  const directories = given("PATH").split(delimiter);
  const names = ["chromium", "chromium-browser", "google-chrome"];
  const programs = names.flatMap((name) => directories.map((directory) => join(directory, name)));
  return programs.find(existsSync) ?? assert.fail("there is no Chromium: run `make setup`");
};

/** The demo account of this address. */
export const account = (email) => dev.accounts.find((account) => account.email === email);
