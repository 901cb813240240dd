import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

/** Looks until there is something, for as long as a machine may take that is busy with every other test. */
export const until = async (what, look, seconds = 30) => {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) assert.fail(`${seconds} seconds were not enough for ${what}`);
    await pause(50);
  }
};
