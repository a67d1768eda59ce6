// The rows as the server last sent them: all of them at first, then only what has changed.

import { toColumn } from "./to_column.js";

/** @typedef {import("./payload.d.ts").Changes} Changes */
/** @typedef {import("./payload.d.ts").Payload} Payload */
/** @typedef {import("./payload.d.ts").Row} Row */

export class Model {
  /** @type {number | null} */
  version = null;
  /** @type {import("./payload.d.ts").Layout} */
  layout = { columns: [], states: {}, stale_after: 0 };
  /** @type {import("./to_column.js").Column[]} */
  columns = [];
  /** @type {Map<string, import("./to_column.js").Column>} */
  columnById = new Map();
  /** Whether Stop has frozen the figures. */
  stopped = false;
  /** @type {Record<string, [string, string]>} */
  warnings = {};
  /** @type {Map<string, Row>} */
  groups = new Map();
  /** @type {Map<string, Row>} */
  positions = new Map();
  /** The rows with their own quote, single positions and legs, by group. @type {Map<string, Row[]>} */
  quoted = new Map();
  /** The legs of each structure. @type {Map<string, Row[]>} */
  legs = new Map();
  /** @type {Row[]} */
  #groupRows = [];
  /** @type {Row[]} */
  #rows = [];

  /** Take one refresh; return false if it changes rows that never came. @param {Payload} payload */
  take(payload) {
    if (payload.layout) this.#begin(payload.layout);
    else if (this.version === null || payload.since === null || this.version < payload.since) return false;
    else if (payload.version < this.version) return true; // already shown
    this.version = payload.version;
    this.stopped = payload.stopped;
    Object.assign(this.warnings, payload.warnings);
    this.#groupRows = merge(this.#groupRows, payload.groups);
    this.#rows = merge(this.#rows, payload.rows);
    this.#index();
    return true;
  }

  /** @param {import("./payload.d.ts").Layout} layout */
  #begin(layout) {
    this.layout = layout;
    this.columns = layout.columns.map(toColumn);
    this.columnById = new Map(this.columns.map((column) => [column.id, column]));
    this.warnings = {};
    this.#groupRows = [];
    this.#rows = [];
  }

  #index() {
    this.groups = new Map(this.#groupRows.map((row) => [row.id, Object.assign(row, { kind: "group", key: `g:${row.id}` })]));
    this.positions = new Map();
    this.quoted = new Map();
    this.legs = new Map();
    for (const row of this.#rows) {
      row.key = `${row.kind === "leg" ? "l" : "p"}:${row.id}`;
      if (row.kind === "leg") add(this.legs, String(row.parent), row);
      else this.positions.set(row.id, row);
      const owner = row.kind === "leg" ? this.positions.get(String(row.parent)) : row;
      if (row.kind !== "structure" && owner) add(this.quoted, String(owner.group), row);
    }
  }
}

/** @param {Map<string, Row[]>} map @param {string} key @param {Row} row */
function add(map, key, row) {
  const rows = map.get(key);
  if (rows) rows.push(row);
  else map.set(key, [row]);
}

/** Return the rows with these changes; a changed row is a new object. @param {Row[]} rows @param {Changes} changes */
function merge(rows, { fields, rows: changed }) {
  const merged = [...rows];
  for (const [number, ...values] of changed) {
    const named = Object.fromEntries(fields.map((field, place) => [field, values[place]]));
    merged[Number(number)] = /** @type {Row} */ ({ ...merged[Number(number)], ...named });
  }
  return merged;
}
