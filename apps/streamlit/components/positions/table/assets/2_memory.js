// What the user chose: columns, sort, open rows, selection. Kept in localStorage, so that a reload loses nothing.

class Memory {
  constructor(name) {
    this.name = `options-helper.${name}`;
    const kept = this.#read();
    const known = Array.isArray(kept.columns) ? kept.columns.filter((id) => COLUMN_BY_ID.has(id)) : [];
    this.columns = new Set(known.length ? ["position", ...known] : DEFAULT_COLUMNS);
    this.sort = COLUMN_BY_ID.has(kept.sort?.column) && [1, -1].includes(kept.sort.direction) ? kept.sort : null;
    this.open = new Set(Array.isArray(kept.open) ? kept.open : []);
    this.folded = new Set(Array.isArray(kept.folded) ? kept.folded : []);
    this.selected = typeof kept.selected === "string" ? kept.selected : null;
  }

  #read() {
    try {
      return JSON.parse(localStorage.getItem(this.name)) ?? {};
    } catch {
      return {};
    }
  }

  save() {
    const kept = {
      columns: [...this.columns], sort: this.sort, open: [...this.open], folded: [...this.folded],
      selected: this.selected,
    };
    try {
      localStorage.setItem(this.name, JSON.stringify(kept));
    } catch {
      // Storage is full or forbidden: choices then last until the page is left.
    }
  }
}
