// The order of the rows. It changes only on a click, because rows that re-sort themselves move away under the mouse.

import { isNumber } from "./formats.js";

/** @typedef {import("./payload.d.ts").Row} Row */
/** @typedef {import("./payload.d.ts").Value} Value */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {import("./choices.js").Choices} Choices */

export class Order {
  constructor() {
    /** @type {string[]} */
    this.groups = [];
    /** The positions of each group. @type {Map<string, Set<string>>} */
    this.rows = new Map();
    /** For each group of which a search leaves out rows: how many it shows, and of how many. @type {Map<string, [number, number]>} */
    this.found = new Map();
  }

  /** Sort the rows, and the groups as `#sortGroups` does. @param {Model} model @param {Choices["sort"]} sort */
  sort(model, sort) {
    const rows = [...model.positions.values()];
    const column = sort && model.columnById.get(sort.column);
    if (sort && column) rows.sort((a, b) => compare(column.sortKey(a), column.sortKey(b), sort.direction));
    this.groups = [...model.groups.keys()];
    if (sort && column) this.#sortGroups(model, sort, rows);
    this.rows = new Map();
    for (const row of rows) this.#append(row);
  }

  /**
   * Sort the groups: for names, in the server's order or the opposite; else by their own sum if they have one, and
   * by their first row if not.
   * @param {Model} model @param {NonNullable<Choices["sort"]>} sort @param {Row[]} rows The sorted rows.
   */
  #sortGroups(model, { column, direction }, rows) {
    const byFirstRow = new Set(rows.map((row) => String(row.group)));
    if (model.columnById.get(column)?.format === "name") {
      if (direction < 0) this.groups.reverse();
      this.groups = [...new Set([...this.groups, ...byFirstRow])];
      return;
    }
    this.groups = [...byFirstRow];
    const sumOf = (/** @type {string} */ id) => model.groups.get(id)?.[column];
    if (this.groups.some((id) => isNumber(sumOf(id)))) this.groups.sort((a, b) => compare(sumOf(a), sumOf(b), direction));
  }

  /** Keep the order and append new rows; a row that has changed its group is new there. @param {Model} model */
  adopt(model) {
    const known = new Set(this.groups);
    for (const row of model.positions.values()) {
      const group = String(row.group);
      if (!known.has(group)) this.groups.push(group);
      known.add(group);
      this.#append(row);
    }
  }

  /** Append a row to its group; a row that is there already keeps its place. @param {Row} row */
  #append(row) {
    const group = String(row.group);
    if (!this.rows.has(group)) this.rows.set(group, new Set());
    this.rows.get(group)?.add(row.id);
  }

  /** Return the visible rows from top to bottom. @param {Model} model @param {Choices} choices */
  visible(model, choices) {
    /** @type {Row[]} */
    const visible = [];
    const words = choices.search.toLowerCase().split(/\s+/).filter(Boolean);
    this.found = new Map();
    for (const groupId of this.groups) {
      const group = model.groups.get(groupId);
      const ids = [...(this.rows.get(groupId) ?? [])];
      const rows = ids.map((id) => model.positions.get(id)).filter((row) => row?.group === groupId);
      const found = rows.filter((row) => matches(row, words));
      if (found.length === 0) continue;
      if (found.length < rows.length) this.found.set(groupId, [found.length, rows.length]);
      if (group) visible.push(group);
      if (group && choices.folded.has(groupId) && words.length === 0) continue;
      for (const row of /** @type {Row[]} */ (found)) {
        const { id } = row;
        visible.push(row);
        if (choices.open.has(id)) visible.push(...(model.legs.get(id) ?? []));
      }
    }
    return visible;
  }
}

/** Return whether a row has every word in its names and tags. @param {Row | undefined} row @param {string[]} words */
function matches(row, words) {
  if (words.length === 0) return true;
  const text = [row?.name, row?.sub, row?.group, row?.named, row?.tags, row?.id].join(" ").toLowerCase();
  return words.every((word) => text.includes(word));
}

/**
 * Compare two values; a missing one comes last in both directions.
 * @param {Value | undefined} a
 * @param {Value | undefined} b
 * @param {1 | -1} direction
 */
export function compare(a, b, direction) {
  const aMissing = a === null || a === undefined || a === "";
  const bMissing = b === null || b === undefined || b === "";
  if (aMissing || bMissing) return Number(aMissing) - Number(bMissing);
  return (a < b ? -1 : a > b ? 1 : 0) * direction;
}
