// The ways in which people work a page. `press` is for what is pressed, `type` for what is typed into; what a field holds
// already is replaced.
import assert from "node:assert/strict";

const typed = async (window, field, text) => {
  await field.selectText();
  await window.keyboard.type(text);
};

export const mouse = {
  press: (_, target) => target.click(),
  async type(window, field, text) {
    await field.click();
    await typed(window, field, text);
  },
};

export const finger = {
  press: (_, target) => target.tap(),
  async type(window, field, text) {
    await field.tap();
    await typed(window, field, text);
  },
};

/** What stands out around the element, and what it is if that is the one that keys go to. */
const focus = (element) => {
  if (element.ownerDocument.activeElement !== element) return undefined;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  return { visible: element.matches(":focus-visible") && outlineStyle !== "none" && parseFloat(outlineWidth) > 0 };
};

/** Goes from field to field until `target` is reached, as somebody must who sees where they are. */
const reach = async (window, target) => {
  for (let presses = 0; presses < 40; presses += 1) {
    const found = await target.evaluate(focus);
    if (found) return assert.ok(found.visible, `nobody sees that ${target} is reached`);
    await window.keyboard.press("Tab");
  }
  return assert.fail(`${target} is not reached by Tab`);
};

export const keys = {
  async press(window, target) {
    await reach(window, target);
    await window.keyboard.press("Enter");
  },
  async type(window, field, text) {
    await reach(window, field);
    await window.keyboard.press("ControlOrMeta+A");
    await window.keyboard.type(text);
  },
};
