// One row of the table: a <tr> that is built once and then only updated.

import { element, setAttribute, setClass, setText } from "./dom.js";
import { leadsToFills } from "./fills_link.js";
import { formatCount, formatFigure, formatTimeLeft, isNumber, MINUS } from "./formats.js";
import { describeStale, describeState, stateOf } from "./states.js";

/** @typedef {import("./to_column.js").Column} Column */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./payload.d.ts").Row} Row */
/**
 * Everything that the look of a row depends on, besides its figures.
 * @typedef {{now: number, expanded: boolean | null, selected: boolean, model: Model, found: [number, number] | undefined,
 *   widen(id: string, characters: number): void}} Context
 */
/**
 * The elements of one cell; most cells have only a value. `below` is a small second line, `narrow` one that only a
 * narrow table shows.
 * @typedef {{td: HTMLElement, value?: HTMLElement, below?: HTMLElement, narrow?: HTMLElement, move?: HTMLElement,
 *   sign?: HTMLElement}} Cell
 */
/** @typedef {{twist: HTMLElement, name: HTMLElement, sub: HTMLElement, warning: HTMLElement, note: HTMLElement}} NameCell */

const MOVE_MILLISECONDS = 5000;
const EXPANDED = "\u25be";
const COLLAPSED = "\u25b8";
const UP = "\u25b2";
const DOWN = "\u25bc";
const WARNING = "\u26a0";
export const LEVELS = { group: "1", position: "2", structure: "2", leg: "3" };
const LATE_STATES = ["stale", "from_yesterday", "halted"];
const LONG_CHARACTERS = 20;
// The width of small text, relative to normal text.
const BELOW_SCALE = 0.85;

export class RowView {
  /** @param {Row} row @param {Column[]} columns */
  constructor(row, columns) {
    this.row = row;
    this.columns = columns;
    this.tr = element("tr", `pt-row pt-${row.kind}`);
    this.tr.tabIndex = -1;
    this.tr.dataset.key = row.key;
    this.tr.dataset.kind = row.kind;
    if (row.kind === "group") this.tr.dataset.group = row.id;
    else this.tr.dataset.positionId = ownerOf(row);
    setAttribute(this.tr, "aria-level", LEVELS[row.kind]);
    /** @type {Map<string, Cell>} */
    this.cells = new Map();
    /** The mark that was last shown. @type {unknown} */
    this.mark = null;
    this.move = { direction: 0, at: 0 };
    /** @type {(id: string, characters: number) => void} */
    this.widen = () => {};
    this.place = this.#addName();
    for (const column of columns) if (column.format !== "name") this.#addCell(column);
  }

  /** @returns {NameCell} */
  #addName() {
    const td = element("td", "", this.tr);
    td.dataset.col = "position";
    const place = element("div", "pt-place", td);
    const twist = element("span", "pt-twist", place);
    twist.setAttribute("aria-hidden", "true");
    const words = element("span", "pt-words", place);
    const [name, sub, warning, note] = ["name", "sub", "warning", "note"].map((part) => element("span", `pt-${part}`, words));
    return { twist, name, sub, warning, note };
  }

  /** @param {Column} column */
  #addCell({ id, format, below }) {
    const td = element("td", "", this.tr);
    td.dataset.col = id;
    /** @type {Cell} */
    const cell = { td };
    if (id === "mark" && this.row.kind !== "group") {
      cell.move = element("span", "pt-move", td);
      cell.move.setAttribute("aria-hidden", "true");
    }
    if (format === "state" && this.row.kind !== "group") {
      cell.sign = element("span", "pt-sign", td);
      td.append(" ");
    }
    cell.value = element("span", "pt-value", td);
    if (below) cell.below = element("span", "pt-below", td);
    if (id === "mark" || id === "pnl_open") cell.narrow = element("span", "pt-narrow", td);
    this.cells.set(id, cell);
  }

  /** Show the row's newest values. @param {Row} row @param {Context} context */
  update(row, context) {
    this.row = row;
    this.widen = context.widen;
    setAttribute(this.tr, "aria-expanded", context.expanded === null ? null : String(context.expanded));
    setAttribute(this.tr, "aria-selected", row.kind === "group" ? null : String(context.selected));
    this.#updateName(context);
    for (const column of this.columns) if (column.isFigure) this.#updateFigure(column);
    if (row.kind === "group") this.#updateGroup();
    else this.#updateQuote(context);
    this.tick(context.now, context.model);
  }

  /** @param {Context} context */
  #updateName({ expanded, model, found }) {
    const { row, place } = this;
    setText(place.twist, expanded === null ? "" : expanded ? EXPANDED : COLLAPSED);
    setText(place.name, row.name);
    const names = row.kind === "group" ? [row.name] : [row.named, row.name, ownerOf(row)];
    const title = names.filter(Boolean).join(" \u00b7 ");
    if (place.name.title !== title) place.name.title = title;
    setText(place.sub, String(row.sub ?? ""));
    const note = found ? describeFound(...found) : String(row.note ?? "");
    setText(place.note, note);
    if (place.note.title !== note) place.note.title = note;
    place.note.classList.toggle("leads-on", leadsToFills(note));
    this.tr.classList.toggle("is-not-held", Boolean(row.not_held));
    if (row.kind !== "group") showWarnings(place.warning, codesOf(row.warning), model.warnings);
  }

  /** @param {Column} column */
  #updateFigure(column) {
    const value = this.row[column.id];
    if (isDollarsAlone(this.row, column)) this.#setValue(column.id, String(this.row.spread_note), 0);
    else this.#setValue(column.id, formatFigure(value, column), column.toned && isNumber(value) ? Math.sign(value) : 0);
  }

  #updateGroup() {
    const { row } = this;
    const day = this.cells.get("pnl_day")?.below; // its words wrap, because they are there only for a while
    if (day) setText(day, String(row.day_cover ?? "").replaceAll(MINUS, `${MINUS}\u2060`));
    this.tr.classList.toggle("is-partial", Boolean(row.partial));
  }

  /** @param {Context} context */
  #updateQuote({ model, now }) {
    const { row } = this;
    const quote = this.cells.get("quote");
    if (quote) quote.td.title = codesOf(row.said).map((code) => model.warnings[code]?.[1] ?? code).join(" ");
    const open = this.cells.get("pnl_open")?.narrow;
    const percent = model.columnById.get("pnl_pct");
    if (open && percent) setText(open, formatFigure(row.pnl_pct, percent));
    if (isNumber(row.mark) && isNumber(this.mark) && row.mark !== this.mark) {
      this.move = { direction: Math.sign(row.mark - this.mark), at: now };
    }
    this.mark = row.mark;
  }

  /** @param {string} id @param {string} text @param {number} tone */
  #setValue(id, text, tone) {
    const value = this.cells.get(id)?.value;
    if (!value) return;
    setText(value, text);
    if (text.length > LONG_CHARACTERS) value.title = text;
    this.widen(id, text.length);
    setClass(value, tone > 0 ? "pt-value is-up" : tone < 0 ? "pt-value is-down" : "pt-value");
  }

  /** @param {string} id @param {string} text */
  #setBelow(id, text) {
    const below = this.cells.get(id)?.below;
    if (!below) return;
    setText(below, text);
    this.widen(id, text.length * BELOW_SCALE);
  }

  /** Update everything that changes with time alone: ages, states, and the sign of a price move. @param {number} now @param {Model} model */
  tick(now, model) {
    const { row } = this;
    const { layout, stopped } = model;
    const state = stateOf(row, now, layout);
    if (this.tr.dataset.state !== state) this.tr.dataset.state = state;
    if (row.kind === "group") {
      const { sign, word } = layout.states[state];
      setText(this.place.warning, LATE_STATES.includes(state) && !stopped ? ` ${sign} ${word}` : "");
      this.#tickCover(now, model);
      return;
    }
    const [sign, words] = describeState(row, now, layout, stopped);
    const quote = this.cells.get("quote");
    if (quote?.sign && quote.value) {
      setText(quote.sign, sign);
      setText(quote.value, words);
      this.widen("quote", words.length + 2); // the sign and the space after it
    }
    this.#tickBelow(now);
    this.#tickMark(now, `${sign} ${words}`);
  }

  /** Show how many legs and Greeks the sums cover, and how many quotes are stale. @param {number} now @param {Model} model */
  #tickCover(now, { layout, quoted, stopped }) {
    const { row } = this;
    const [old, areAll] = stopped ? ["", false] : describeStale(quoted.get(row.id) ?? [], now, layout);
    const cover = String(row.cover ?? "");
    const greeks = String(row.greeks_cover ?? "");
    this.tr.classList.toggle("is-old", areAll);
    this.#setValue("quote", [cover, greeks, old].filter(Boolean).join(", "), 0);
    const open = this.cells.get("pnl_open")?.narrow;
    if (open) setText(open, [isNumber(row.pnl_open) ? "" : cover, old].filter(Boolean).join(", "));
  }

  /** @param {number} now */
  #tickBelow(now) {
    const { row } = this;
    const left = isNumber(row.ends) ? formatTimeLeft((row.ends - now) / 1000) : "";
    for (const column of this.columns) {
      const { id, below } = column;
      if (below === "time_left") this.#setBelow(id, left);
      else if (isDollarsAlone(row, column)) this.#setBelow(id, "");
      else if (below === "iv_note" || below === "moves" || below === "spread_note") this.#setBelow(id, String(row[below] ?? ""));
    }
  }

  /** @param {number} now @param {string} words */
  #tickMark(now, words) {
    const mark = this.cells.get("mark");
    if (!mark?.narrow || !mark.move) return;
    setText(mark.narrow, words);
    const direction = isNumber(this.row.mark) && now - this.move.at < MOVE_MILLISECONDS ? this.move.direction : 0;
    setText(mark.move, direction > 0 ? UP : direction < 0 ? DOWN : "");
    setClass(mark.move, direction > 0 ? "pt-move is-up" : "pt-move is-down");
  }
}

/** Return the id of the position or structure to which a row belongs. @param {Row} row */
export const ownerOf = (row) => (row.kind === "leg" ? String(row.parent) : row.id);

/** Return what a group's sums cover while a search leaves out some of its rows. @param {number} shown @param {number} all */
const describeFound = (shown, all) => `${formatCount(shown)} of ${formatCount(all)} positions found; the sums include all ${formatCount(all)}`;

/** Return whether a spread has dollars but no percentage; the dollars then take its place. @param {Row} row @param {Column} column */
const isDollarsAlone = (row, { id, below }) => below === "spread_note" && row.spread_note && !isNumber(row[id]);

/** @param {unknown} value @returns {string[]} */
const codesOf = (value) => (Array.isArray(value) ? value : []);

/**
 * Show warnings in a few words, and in whole sentences on hover and to a screen reader.
 * @param {HTMLElement} node
 * @param {string[]} codes
 * @param {Record<string, [string, string]>} warnings
 */
function showWarnings(node, codes, warnings) {
  const words = codes.map((code) => warnings[code] ?? [code, code]);
  const short = words.length ? `${WARNING} ${words.map(([few]) => few).join(", ")}` : "";
  const sentences = words.map(([, sentence]) => sentence).join(" ");
  if (node.textContent === short + sentences) return;
  node.replaceChildren(short);
  node.title = sentences;
  if (sentences) element("span", "pt-aloud", node, sentences);
}
