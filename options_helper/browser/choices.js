// The user's choices: columns, sort, open rows, selection. Kept in localStorage, so that a reload loses nothing.

/** @typedef {import("./to_column.js").Column} Column */

/** The ways to group rows, each as an id and a name; the server makes the groups. */
export const GROUPINGS = [
  ["underlying", "Underlying"], ["expiry", "Expiry"], ["strategy", "Strategy"], ["tag", "Tag"], ["none", "None"],
];

export class Choices {
  /** @param {string} name @param {Column[]} columns */
  constructor(name, columns) {
    this.name = `options-helper.${name}`;
    const byId = new Map(columns.map((column) => [column.id, column]));
    const kept = this.#read();
    const known = listOf(kept.columns).filter((id) => byId.has(id));
    const usual = columns.filter((column) => !column.optional).map((column) => column.id);
    this.columns = new Set(known.length ? ["position", ...known] : usual);
    /** @type {{column: string, direction: 1 | -1} | null} */
    this.sort = byId.has(kept.sort?.column) && [1, -1].includes(kept.sort.direction) ? kept.sort : null;
    this.open = new Set(listOf(kept.open));
    this.folded = new Set(listOf(kept.folded));
    /** @type {string | null} */
    this.selected = typeof kept.selected === "string" ? kept.selected : null;
    this.grouping = GROUPINGS.some(([id]) => id === kept.grouping) ? kept.grouping : GROUPINGS[0][0];
    /** The words that a row must contain; not kept in storage. */
    this.search = "";
  }

  /** @returns {any} whatever is stored; every value is checked before use */
  #read() {
    try {
      return JSON.parse(localStorage.getItem(this.name) ?? "{}") ?? {};
    } catch {
      return {};
    }
  }

  save() {
    const kept = {
      columns: [...this.columns], sort: this.sort, open: [...this.open], folded: [...this.folded],
      selected: this.selected, grouping: this.grouping,
    };
    try {
      localStorage.setItem(this.name, JSON.stringify(kept));
    } catch {
      // Storage is full or forbidden: the choices last until the page is left.
    }
  }
}

/** @param {unknown} value @returns {string[]} */
const listOf = (value) => (Array.isArray(value) ? value : []);
