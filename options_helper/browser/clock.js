// The server's time now: the time in its newest message, plus what this page has counted since, at the server's
// pace: 1, or that of a replay. The browser's own clock may be wrong by minutes, so only `countSleep` uses it.

// A smaller step of the browser's clock is a correction, not a sleep.
const SLEPT_MILLISECONDS = 2000;

// Each component loads its own copy of this module; the page has one anchor.
const page = /** @type {typeof globalThis & {optionsHelperClock?: Anchor}} */ (globalThis);
/** @typedef {{sentAt: number, shownAt: number, wall: number, pace: number}} Anchor */

/** @returns {Anchor} */
const anchor = () => (page.optionsHelperClock ??= { sentAt: 0, shownAt: 0, wall: 0, pace: 1 });

/** Return the server's time in milliseconds. */
export function serverNow() {
  const { sentAt, shownAt, pace } = anchor();
  return sentAt + pace * (performance.now() - shownAt);
}

/** Set the server's time from a message that has just arrived. @param {number} sentAt @param {number} [pace] */
export function setServerTime(sentAt, pace = anchor().pace) {
  Object.assign(anchor(), { sentAt, pace, shownAt: performance.now(), wall: Date.now() - performance.now() });
}

/** Set the server's time from a message that may have been shown before. @param {number} sentAt */
export function advanceServerTime(sentAt) {
  if (sentAt > anchor().sentAt) setServerTime(sentAt);
}

/**
 * Add the time that the machine slept. `performance.now()` may stand still during sleep, and ages would be too low.
 *
 * If the browser's clock was merely set forward, ages are too high until the server's next message.
 */
export function countSleep() {
  const clock = anchor();
  const wall = Date.now() - performance.now();
  if (wall - clock.wall > SLEPT_MILLISECONDS) clock.shownAt -= wall - clock.wall;
  clock.wall = wall;
}
