// The header row, whose buttons sort, and the widths of the columns.

import { element, setAttribute, setText } from "./dom.js";

/** @typedef {import("./to_column.js").Column} Column */
/** @typedef {import("./choices.js").Choices} Choices */

// What a window too small for every column hides first, as in positions_table.css: what the bid, the ask and the
// expiry in the name say as well.
const DISPENSABLE = ["spread", "natural", "dte", "pnl_pct"];
const NAME_EM = 12;
const WIDE_NAME_EM = 48; // beyond, all columns share the room, so that the figures stay near their name
const EM_PER_CHARACTER = 0.53;
const CELL_PADDING_EM = 0.9;
const MOST_EM = 14; // longer figures end in an ellipsis and are shown in full on hover
const ASCENDING = "\u2191";
const DESCENDING = "\u2193";

export class Header {
  /** @param {HTMLTableElement} table @param {Choices} choices @param {(id: string) => void} sortBy */
  constructor(table, choices, sortBy) {
    this.table = table;
    this.choices = choices;
    this.sortBy = sortBy;
    /** @type {Map<string, {th: HTMLElement, arrow: HTMLElement, em: number}>} */
    this.cells = new Map();
    /** The columns for which there is no room. @type {string[]} */
    this.hidden = [];
    /** Whether a column has become wider since the last `fit`. */
    this.isWider = false;
    this.thead = element("thead", "", table);
  }

  /** @param {Column[]} columns */
  build(columns) {
    this.thead.replaceChildren();
    this.cells.clear();
    const tr = element("tr", "", this.thead);
    tr.setAttribute("aria-rowindex", "1");
    for (const { id, label, help, em } of columns) {
      const th = element("th", "", tr);
      th.scope = "col";
      th.dataset.col = id;
      const button = element("button", "pt-sort", th);
      button.type = "button";
      button.tabIndex = -1; // reached by the arrows
      button.title = help;
      element("span", "", button, label);
      const arrow = element("span", "pt-arrow", button);
      arrow.setAttribute("aria-hidden", "true");
      button.addEventListener("click", () => this.sortBy(id));
      this.cells.set(id, { th, arrow, em });
    }
    this.update();
    this.fit();
  }

  /**
   * Make a column wide enough at the next `fitIfWider`. It never narrows, because the table would jitter.
   * @param {string} id @param {number} characters
   */
  widen(id, characters) {
    const cell = this.cells.get(id);
    const em = Math.min(characters * EM_PER_CHARACTER + CELL_PADDING_EM, MOST_EM);
    if (!cell || em <= cell.em) return;
    cell.em = em;
    this.isWider = true;
  }

  /** Fit the columns, once for all that have become wider: each fit lays out the whole table. */
  fitIfWider() {
    if (this.isWider) this.fit();
  }

  /**
   * Hide as few columns as it takes for the others to fit, because a figure that is cut off looks like another
   * figure. If that does not suffice, the table scrolls sideways with all of them; the names are not squeezed.
   */
  fit() {
    this.isWider = false;
    let sum = NAME_EM;
    for (const [id, { em }] of this.cells) {
      if (id === "position") continue;
      sum += em;
    }
    const { fontSize, minWidth } = getComputedStyle(this.table);
    const isNarrow = minWidth === "0px"; // four columns, with the rest as second lines
    const room = isNarrow ? sum : (this.table.parentElement?.clientWidth ?? 0) / parseFloat(fontSize);
    const hidden = [];
    let rest = sum;
    for (const id of DISPENSABLE) {
      if (rest <= room) break;
      const cell = this.cells.get(id);
      if (!cell) continue;
      hidden.push(id);
      rest -= cell.em;
    }
    const fits = rest <= room;
    const spare = Math.max(0, room - rest - (WIDE_NAME_EM - NAME_EM)) / this.cells.size;
    for (const [id, { th, em }] of this.cells) if (id !== "position") th.style.width = `${em + spare}em`;
    this.hidden = fits ? hidden : [];
    setAttribute(this.table, "data-hidden", this.hidden.join(" "));
    this.table.style.setProperty("--pt-wide", `${fits ? rest : sum}em`);
  }

  /** Show which column the rows are sorted by. */
  update() {
    const { sort } = this.choices;
    for (const [id, { th, arrow }] of this.cells) {
      const direction = sort?.column === id ? sort.direction : 0;
      setAttribute(th, "aria-sort", direction === 0 ? "none" : direction > 0 ? "ascending" : "descending");
      setText(arrow, direction === 0 ? "" : direction > 0 ? ASCENDING : DESCENDING);
    }
  }
}
