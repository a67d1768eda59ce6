// The keyboard: arrows move and open, Enter and Space select (and open a structure), Escape deselects.

import { ownerOf } from "./row.js";

/** @typedef {import("./table.js").PositionsTable} PositionsTable */

const PAGE_ROWS = 10;

/** @param {PositionsTable} table @param {KeyboardEvent} event */
export function onTableKey(table, event) {
  const tr = /** @type {HTMLElement} */ (event.target).closest("tr");
  const row = tr && table.rowOf(tr);
  if (!tr || !row || event.ctrlKey || event.metaKey || event.altKey) return;
  const rows = /** @type {HTMLElement[]} */ ([...table.tbody.children]);
  const at = rows.indexOf(tr);
  /** @param {number} place */
  const moveTo = (place) => table.focusRow(rows[Math.min(Math.max(place, 0), rows.length - 1)]);
  const parent = () => rows.slice(0, at).findLast((other) => Number(other.ariaLevel) < Number(tr.ariaLevel));
  /** @type {Record<string, () => void>} */
  const keys = {
    ArrowDown: () => moveTo(at + 1),
    ArrowUp: () => moveTo(at - 1),
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

/** @param {PositionsTable} table @param {import("./payload.d.ts").Row} row */
function activate(table, row) {
  if (row.kind !== "group") table.select(ownerOf(row));
  if (row.kind !== "leg") table.toggle(row);
}
