import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { advanceServerTime, countSleep, serverNow, setServerTime } from "../../options_helper/browser/clock.js";
import { describeState } from "../../options_helper/browser/states.js";

const SENT = 1_800_000_000_000;
let monotonic;
let wall;

beforeEach(() => {
  monotonic = 5_000;
  wall = 42; // the browser's own clock is far off
  performance.now = () => monotonic;
  Date.now = () => wall;
  setServerTime(SENT);
});

function pass(milliseconds, { asleep = false } = {}) {
  wall += milliseconds;
  if (!asleep) monotonic += milliseconds;
}

test("the time counts on from the newest message, whatever the browser's clock says", () => {
  pass(1_500);
  assert.equal(serverNow(), SENT + 1_500);
});

test("a message that was shown before does not turn the clock back", () => {
  pass(1_500);
  advanceServerTime(SENT - 10);
  assert.equal(serverNow(), SENT + 1_500);
  advanceServerTime(SENT + 1_400);
  assert.equal(serverNow(), SENT + 1_400);
});

test("the time that the machine slept is counted once it wakes", () => {
  pass(1_000);
  countSleep();
  pass(3_600_000, { asleep: true });
  countSleep();
  pass(1_000);
  countSleep();
  assert.equal(serverNow(), SENT + 3_602_000);
});

test("a browser's clock that is set back makes nothing younger", () => {
  pass(1_000);
  wall -= 7_200_000;
  countSleep();
  assert.equal(serverNow(), SENT + 1_000);
  pass(60_000, { asleep: true });
  countSleep();
  assert.equal(serverNow(), SENT + 61_000);
});

test("the server's next message corrects the time", () => {
  wall += 3_600_000;
  countSleep();
  assert.equal(serverNow(), SENT + 3_600_000);
  setServerTime(SENT + 2_000);
  assert.equal(serverNow(), SENT + 2_000);
});

test("a live row that the server no longer corrects turns stale by itself", () => {
  const states = { live: { sign: "o", word: "live", aged: true }, stale: { sign: "!", word: "stale", aged: true } };
  const row = { state: "live", time: SENT };
  const at = (seconds) => describeState(row, SENT + seconds * 1000, { columns: [], states, stale_after: 30 });
  assert.deepEqual([at(2), at(40), at(41)], [["o", "live 2 s"], ["o", "live 40 s"], ["!", "stale 41 s"]]);
});

test("after Stop a price shows its time, and no longer an age", () => {
  const states = { stale: { sign: "!", word: "stale", aged: true }, expired: { sign: "x", word: "expired", aged: false } };
  const time = new Date(2026, 10, 30, 13, 46, 2).getTime();
  const at = (seconds, state) => describeState({ state, time }, time + seconds * 1000, { columns: [], states, stale_after: 30 }, true);
  assert.deepEqual([at(2, "stale"), at(3600, "stale"), at(2, "expired")], [["\u25a0", "as of 13:46"], ["\u25a0", "as of 13:46"], ["x", "expired"]]);
});
