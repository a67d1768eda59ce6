// Keyboard control. The bar and the table are one Tab stop each, and arrows move inside them. In the rows, arrows also
// open and close, Enter and Space select (and open a structure), and Escape deselects. Above the first row are the
// headings, which sort.

import { LEVELS, ownerOf } from "./row.js";

/** @typedef {import("./table.js").PositionsTable} PositionsTable */

const PAGE_ROWS = 10;

/** @param {PositionsTable} table @param {KeyboardEvent} event */
export function onTableKey(table, event) {
  const tr = /** @type {HTMLElement} */ (event.target).closest("tr");
  const row = tr && table.rowOf(tr);
  if (!tr || !row || event.ctrlKey || event.metaKey || event.altKey) return;
  const rows = table.rows.shown;
  const at = rows.findIndex((other) => other.key === row.key);
  /** @param {number} place */
  const moveTo = (place) => table.focusRow(rows[Math.min(Math.max(place, 0), rows.length - 1)]);
  const moveUp = () => (at === 0 ? onShow(table.thead)[0]?.focus() : moveTo(at - 1));
  const parent = () => rows.slice(0, at).findLast((other) => LEVELS[other.kind] < LEVELS[row.kind]);
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowDown: () => moveTo(at + 1),
    ArrowUp: moveUp,
    PageDown: () => moveTo(at + PAGE_ROWS),
    PageUp: () => moveTo(at - PAGE_ROWS),
    Home: () => moveTo(0),
    End: () => moveTo(rows.length - 1),
    ArrowRight: () => {
      if (!table.toggle(row, true) && tr.ariaExpanded === "true") moveTo(at + 1);
    },
    ArrowLeft: () => {
      if (!table.toggle(row, false)) table.focusRow(parent());
    },
    Enter: () => activate(table, row),
    " ": () => activate(table, row),
    Escape: () => table.select(null),
  };
  if (!(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
}

/** Move between the headings, and down to the rows. @param {PositionsTable} table @param {KeyboardEvent} event */
export function onHeadingKey(table, event) {
  if (event.key === "ArrowDown") table.focusRow(table.rows.shown[0]);
  else if (!moveAlong(onShow(table.thead), event)) return;
  event.preventDefault();
}

/** Make one control of a bar its Tab stop, and let the arrows move between the controls. @param {HTMLElement} bar */
export function makeToolbar(bar) {
  const rove = () => {
    const controls = controlsOf(bar).filter((each) => !each.hidden);
    const focused = controls.find((each) => each === document.activeElement);
    const stop = focused ?? controls.find((each) => each.tabIndex === 0) ?? controls[0];
    for (const each of controls) each.tabIndex = each === stop ? 0 : -1;
  };
  bar.setAttribute("role", "toolbar");
  bar.addEventListener("focusin", rove);
  bar.addEventListener("keydown", (event) => {
    if (!isInsideText(event) && moveAlong(onShow(bar), event)) event.preventDefault();
  });
  return rove;
}

const CONTROLS = "button, select, input:not([type=checkbox]), summary";

/** @param {HTMLElement} parent @returns {HTMLElement[]} */
const controlsOf = (parent) => [...parent.querySelectorAll(CONTROLS)].map((each) => /** @type {HTMLElement} */ (each));

/** @param {HTMLElement} parent */
const onShow = (parent) => controlsOf(parent).filter((each) => each.offsetParent);

/** Focus the control that a key moves to; return false if the key moves to none. @param {HTMLElement[]} controls @param {KeyboardEvent} event */
function moveAlong(controls, { key, target }) {
  const at = controls.indexOf(/** @type {HTMLElement} */ (target));
  /** @type {Record<string, number>} */
  const places = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: controls.length - 1 };
  if (at < 0 || !(key in places)) return false;
  controls[Math.min(Math.max(places[key], 0), controls.length - 1)].focus();
  return true;
}

/** Return whether a key moves the caret within text. @param {KeyboardEvent} event */
function isInsideText({ key, target }) {
  if (!(target instanceof HTMLInputElement)) return false;
  const edge = ["ArrowLeft", "Home"].includes(key) ? 0 : target.value.length;
  return target.selectionStart !== edge || target.selectionEnd !== edge;
}

/** @param {PositionsTable} table @param {import("./payload.d.ts").Row} row */
function activate(table, row) {
  if (row.kind !== "group") table.select(ownerOf(row));
  if (row.kind !== "leg") table.toggle(row);
}
