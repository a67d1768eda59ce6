// The state of a quote as time passes in the browser.

import { formatAge, formatCount, formatMoment, isNumber } from "./formats.js";

/** @typedef {import("./payload.d.ts").Layout} Layout */
/** @typedef {import("./payload.d.ts").Row} Row */

// The server updates the state of a live row long before this. If it has not, it is lost, and the row is stale.
const STALE_GRACE_SECONDS = 10;
const CURRENT_STATES = ["live", "quiet", "closed"];
const OLD_STATES = ["stale", "from_yesterday"];
const FROZEN_STATES = ["live", "quiet", "stale", "from_yesterday"];
const FROZEN = "\u25a0";

/** @param {Row} row @param {number} now */
export const ageOf = (row, now) => (isNumber(row.time) ? (now - row.time) / 1000 : null);

/** @param {Row} row @param {number} now @param {Layout} layout */
export function stateOf(row, now, layout) {
  const age = ageOf(row, now);
  if (row.state === "live" && age !== null && age > layout.stale_after + STALE_GRACE_SECONDS) return "stale";
  return row.state in layout.states ? row.state : "no_data";
}

/** Return a state's sign and words, with its age if that matters: `["●", "live 2 s"]`. After Stop, nothing ages: `["■", "as of 13:46"]`, or `"as of Fri 13:46"` on another day.
 * @param {Row} row @param {number} now @param {Layout} layout @param {boolean} [stopped] @returns {[string, string]}
 */
export function describeState(row, now, layout, stopped = false) {
  const state = stateOf(row, now, layout);
  if (stopped && isNumber(row.time) && FROZEN_STATES.includes(state)) return [FROZEN, `as of ${formatMoment(row.time, now)}`];
  const { sign, word, aged } = layout.states[state];
  const age = ageOf(row, now);
  return [sign, aged && age !== null ? `${word} ${formatAge(age)}` : word];
}

/** Return whether there are old quotes and no current ones. @param {Row[]} rows @param {number} now @param {Layout} layout */
export function areAllOld(rows, now, layout) {
  const states = rows.map((row) => stateOf(row, now, layout));
  return !states.some((state) => CURRENT_STATES.includes(state)) && states.some((state) => OLD_STATES.includes(state));
}

/** Return how many rows have old quotes, in words such as `2 stale`, and whether no row has a current one.
 * @param {Row[]} rows @param {number} now @param {Layout} layout @returns {[string, boolean]}
 */
export function describeStale(rows, now, layout) {
  const old = rows.filter((row) => OLD_STATES.includes(stateOf(row, now, layout))).length;
  return [old ? `${old === rows.length ? "all" : formatCount(old)} stale` : "", areAllOld(rows, now, layout)];
}
