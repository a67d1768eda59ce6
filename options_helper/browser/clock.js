// The server's time now: the time in its newest message, plus what this page has counted since. The browser's own
// clock may be wrong by minutes, so it is not used, but for `countSleep`.

// A step of the browser's clock that is smaller than this is a correction, not a sleep.
const SLEPT_MILLISECONDS = 2000;

// Each component loads its own copy of this module; the page has one anchor.
const page = /** @type {typeof globalThis & {optionsHelperClock?: Anchor}} */ (globalThis);
/** @typedef {{sentAt: number, shownAt: number, wall: number}} Anchor */

/** @returns {Anchor} */
const anchor = () => (page.optionsHelperClock ??= { sentAt: 0, shownAt: 0, wall: 0 });

/** Return the server's time in milliseconds. */
export function serverNow() {
  const { sentAt, shownAt } = anchor();
  return sentAt + performance.now() - shownAt;
}

/** Count on from a message that arrives now. @param {number} sentAt */
export function setServerTime(sentAt) {
  Object.assign(anchor(), { sentAt, shownAt: performance.now(), wall: Date.now() - performance.now() });
}

/** Count on from a message that may have been shown before. @param {number} sentAt */
export function advanceServerTime(sentAt) {
  if (sentAt > anchor().sentAt) setServerTime(sentAt);
}

/**
 * Count the time that the machine slept: `performance.now()` may stand still meanwhile, and ages would be too young.
 *
 * If the browser's clock has only been set forward, ages are too old until the server's next message.
 */
export function countSleep() {
  const clock = anchor();
  const wall = Date.now() - performance.now();
  if (wall - clock.wall > SLEPT_MILLISECONDS) clock.shownAt -= wall - clock.wall;
  clock.wall = wall;
}
