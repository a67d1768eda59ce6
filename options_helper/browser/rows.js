// The rows of the table's body. Of thousands, only those near what is in sight are in the document, with gaps as high as
// the others: a sort lays out a hundred rows, whatever their number.

import { element, setAttribute } from "./dom.js";
import { RowView } from "./row.js";

/** @typedef {import("./to_column.js").Column} Column */
/** @typedef {import("./payload.d.ts").Row} Row */

const AT_ONCE = 150; // as many are all in the document
const SPARE_PIXELS = 900;
const FIRST_GUESS = 27; // pixels, until a row of a kind has been laid out
const HEADINGS = 1; // rows above the first, for a screen reader's count

export class Rows {
  /** @param {HTMLElement} scroll @param {HTMLTableElement} table */
  constructor(scroll, table) {
    this.scroll = scroll;
    this.table = table;
    this.tbody = element("tbody", "", table);
    /** All rows on show from top to bottom, in the document or not. @type {Row[]} */
    this.shown = [];
    /** The rows in the document. @type {Map<string, RowView>} */
    this.views = new Map();
    /** The key of the row in the tab order, which stays in the document. */
    this.stop = "";
    /** Of the rows that have been laid out at this width. @type {Map<string, number>} */
    this.heights = new Map();
    /** The first height of each kind, a guess at the others. @type {Map<string, number>} */
    this.usual = new Map();
    this.width = 0;
    /** @type {Column[]} */
    this.columns = [];
  }

  get areMany() {
    return this.shown.length > AT_ONCE;
  }

  /** Build all rows again, with these columns. @param {Column[]} columns */
  build(columns) {
    this.columns = columns;
    this.tbody.replaceChildren();
    this.views.clear();
    this.width = 0;
  }

  /** Show these rows at the next `lay`. @param {Row[]} rows */
  show(rows) {
    this.shown = rows;
    setAttribute(this.table, "aria-rowcount", String(rows.length + HEADINGS));
    if (!rows.some((row) => row.key === this.stop)) this.stop = rows[0]?.key ?? "";
  }

  /** Put the rows near what is in sight into the document; return those that stayed and those that came. */
  lay() {
    this.#measure();
    const [first, last] = this.#near();
    const wanted = new Map();
    for (const [number, row] of this.shown.entries()) {
      if ((number >= first && number < last) || row.key === this.stop) wanted.set(row.key, row);
    }
    const stayed = this.#keep(wanted);
    const came = [...wanted.values()].filter((row) => !this.views.has(row.key)).map((row) => this.#add(row));
    this.#place();
    return { stayed, came };
  }

  #measure() {
    if (!this.areMany) return;
    const width = this.scroll.clientWidth;
    if (width !== this.width) for (const each of [this.heights, this.usual]) each.clear();
    this.width = width;
    for (const [key, { row, tr }] of this.views) {
      const { height } = tr.getBoundingClientRect(); // a rounded one would shift the others when it leaves
      if (height) this.heights.set(key, height);
      if (height && !this.usual.has(row.kind)) this.usual.set(row.kind, height);
    }
  }

  /** @param {Row} row */
  #heightOf(row) {
    return this.heights.get(row.key) ?? this.usual.get(row.kind) ?? FIRST_GUESS;
  }

  /** Change something, and keep the first row in sight where it is: rows that come may be higher than their gap. @param {() => void} change */
  keepPlace(change) {
    const { top: start } = this.scroll.getBoundingClientRect();
    const first = [...this.tbody.children].find((tr) => {
      const { top, bottom } = tr.getBoundingClientRect();
      return bottom > Math.max(start, 0) && top < innerHeight && !isGap(tr);
    });
    const before = first?.getBoundingClientRect().top ?? 0;
    change();
    if (!first?.isConnected) return;
    // A narrow table does not scroll itself, but with the page.
    for (const each of [this.scroll, this.scroll.closest("main")]) each?.scrollBy(0, first.getBoundingClientRect().top - before);
  }

  /** Return the numbers of the rows near what is in sight, the last one exclusive. */
  #near() {
    if (!this.areMany) return [0, this.shown.length];
    const { top, bottom } = this.scroll.getBoundingClientRect();
    const above = Math.max(top, 0) - SPARE_PIXELS;
    const below = Math.min(bottom, innerHeight) + SPARE_PIXELS;
    let [at, first, last] = [this.tbody.getBoundingClientRect().top, 0, 0];
    for (const row of this.shown) {
      if (at > below) break;
      at += this.#heightOf(row);
      last += 1;
      if (at < above) first = last;
    }
    return [first, last];
  }

  /**
   * Remove the rows that are not wanted, and return the others. An id that now names something else gets a new row: its
   * mark did not move.
   * @param {Map<string, Row>} wanted
   */
  #keep(wanted) {
    for (const [key, view] of this.views) {
      const row = wanted.get(key);
      if (row?.kind === view.row.kind && row.group === view.row.group) {
        view.row = row;
        continue;
      }
      view.tr.remove();
      this.views.delete(key);
    }
    return [...this.views.values()];
  }

  /** @param {Row} row */
  #add(row) {
    const view = new RowView(row, this.columns);
    this.views.set(row.key, view);
    return view;
  }

  /** Put rows and gaps into their places. What stays in its place is not touched, so that it keeps the focus. */
  #place() {
    let next = this.tbody.firstElementChild;
    let gap = 0;
    const addGap = () => {
      if (gap > 0) next = this.#gapAt(next, gap).nextElementSibling;
      gap = 0;
    };
    for (const [number, row] of this.shown.entries()) {
      const tr = this.views.get(row.key)?.tr;
      if (!tr) {
        gap += this.#heightOf(row);
        continue;
      }
      addGap();
      while (next && next !== tr && isGap(next)) next = removed(next);
      if (next === tr) next = next.nextElementSibling;
      else this.tbody.insertBefore(tr, next);
      setAttribute(tr, "aria-rowindex", String(number + 1 + HEADINGS));
      tr.tabIndex = row.key === this.stop ? 0 : -1;
    }
    addGap();
    while (next) next = removed(next);
  }

  /** Return a gap of this height before a node, which may be one. @param {Element | null} node @param {number} height */
  #gapAt(node, height) {
    let gap = /** @type {HTMLElement | null} */ (node);
    if (!gap || !isGap(gap)) {
      gap = element("tr", "pt-gap");
      gap.setAttribute("aria-hidden", "true");
      element("td", "", gap).colSpan = this.columns.length;
      this.tbody.insertBefore(gap, node);
    }
    const pixels = `${height}px`;
    if (gap.style.height !== pixels) gap.style.height = pixels;
    return gap;
  }
}

/** @param {Element | null} node */
const isGap = (node) => node?.className === "pt-gap";

/** Remove a node, and return the one after it. @param {Element} node */
function removed(node) {
  const after = node.nextElementSibling;
  node.remove();
  return after;
}
