// The order of the rows. It changes on a click only: rows that re-sort themselves move from under the hand.

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
  }

  /** Sort; a group takes the place of its first row. @param {Model} model @param {Choices["sort"]} sort */
  sort(model, sort) {
    const rows = [...model.positions.values()];
    const column = sort && model.columnById.get(sort.column);
    if (sort && column) rows.sort((a, b) => compare(column.sortKey(a), column.sortKey(b), sort.direction));
    this.groups = sort ? [...new Set(rows.map((row) => String(row.group)))] : [...model.groups.keys()];
    this.rows = new Map();
    for (const row of rows) this.#append(row);
  }

  /** Keep the order and append what is new; an id in another group is new there. @param {Model} model */
  adopt(model) {
    const known = new Set(this.groups);
    for (const group of model.groups.keys()) if (!known.has(group)) this.groups.push(group);
    for (const row of model.positions.values()) this.#append(row);
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
    for (const groupId of this.groups) {
      const group = model.groups.get(groupId);
      if (!group) continue;
      visible.push(group);
      if (choices.folded.has(groupId)) continue;
      for (const id of this.rows.get(groupId) ?? []) {
        const row = model.positions.get(id);
        if (row?.group !== groupId) continue;
        visible.push(row);
        if (choices.open.has(id)) visible.push(...(model.legs.get(id) ?? []));
      }
    }
    return visible;
  }
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
