// An authenticator app (RFC 6238), written by hand: that of somebody else than the service's own library.
import { createHmac } from "node:crypto";
import { until } from "./until.mjs";

const STEP = 30_000;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

const bytes = (base32) => {
  const bits = [...base32].map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(5, "0")).join("");
  return Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
};

const codeOf = (secret, step) => {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const digest = createHmac("sha1", bytes(secret)).update(counter).digest();
  const number = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
};

/**
 * The code of this moment, or of `ago` steps before. It is fresh: there are some seconds left to enter it. Each step counts
 * once, so that who needs two codes takes the older one first.
 */
export const codeNow = async (secret, ago = 0) => {
  await until("the next code", () => Date.now() % STEP < STEP - 8_000);
  return codeOf(secret, Math.floor(Date.now() / STEP) - ago);
};

/** A code that the app has not shown lately. */
export const wrongCode = (secret) => {
  const step = Math.floor(Date.now() / STEP);
  const shown = [-1, 0, 1, 2].map((later) => codeOf(secret, step + later));
  return ["000000", "111111", "222222", "333333", "444444"].find((code) => !shown.includes(code));
};
