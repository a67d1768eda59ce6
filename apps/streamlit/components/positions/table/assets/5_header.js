// The bar above the table (notice, column chooser) and the header row whose buttons sort.

const NAME_EM = 12;
const EM_PER_CHARACTER = 0.53;
const CELL_PADDING_EM = 0.9;

class Header {
  constructor(table, memory, actions) {
    Object.assign(this, { table, memory, actions, cells: new Map() });
    this.thead = element("thead", "", table);
  }

  build(columns) {
    this.thead.replaceChildren();
    this.cells.clear();
    const tr = element("tr", "", this.thead);
    for (const id of columns) {
      const column = COLUMN_BY_ID.get(id);
      const th = element("th", "", tr);
      th.scope = "col";
      th.dataset.col = id;
      const button = element("button", "pt-sort", th);
      button.type = "button";
      button.title = column.help;
      element("span", "", button, column.label);
      const arrow = element("span", "pt-arrow", button);
      arrow.setAttribute("aria-hidden", "true");
      button.addEventListener("click", () => this.actions.sortBy(id));
      this.cells.set(id, { th, arrow, em: column.em });
    }
    this.update();
    this.#fit();
  }

  // Columns only ever grow: widths that follow the figures would make the whole table tremble.
  widen(id, characters) {
    const cell = this.cells.get(id);
    const em = characters * EM_PER_CHARACTER + CELL_PADDING_EM;
    if (!cell || em <= cell.em) return;
    cell.em = em;
    this.#fit();
  }

  // Below the sum of its columns the table scrolls sideways instead of squeezing the names.
  #fit() {
    let sum = NAME_EM;
    for (const [id, { th, em }] of this.cells) {
      if (id === "position") continue;
      th.style.width = `${em}em`;
      sum += em;
    }
    this.table.style.minWidth = `${sum}em`;
  }

  update() {
    const { sort } = this.memory;
    for (const [id, { th, arrow }] of this.cells) {
      const direction = sort?.column === id ? sort.direction : 0;
      setAttribute(th, "aria-sort", direction === 0 ? "none" : direction > 0 ? "ascending" : "descending");
      setText(arrow, direction === 0 ? "" : direction > 0 ? "\u2191" : "\u2193");
    }
  }
}

class Bar {
  constructor(parent, memory, actions) {
    this.memory = memory;
    const bar = element("div", "pt-bar", parent);
    this.notice = element("span", "pt-notice", bar);
    this.notice.setAttribute("role", "status");
    this.summary = element("span", "pt-summary", bar);
    this.legs = element("button", "pt-button", bar);
    this.legs.type = "button";
    this.legs.addEventListener("click", actions.toggleAll);
    this.#buildChooser(bar, actions);
  }

  #buildChooser(bar, actions) {
    this.chooser = element("details", "pt-chooser", bar);
    element("summary", "pt-button", this.chooser, "Columns");
    const list = element("div", "pt-choices", this.chooser);
    list.setAttribute("role", "group");
    list.setAttribute("aria-label", "Columns on show");
    for (const column of COLUMNS.slice(1)) {
      const label = element("label", "", list);
      const box = element("input", "", label);
      box.type = "checkbox";
      box.checked = this.memory.columns.has(column.id);
      box.addEventListener("change", () => actions.showColumn(column.id, box.checked));
      element("b", "", label, column.label);
      element("span", "", label, column.help);
    }
    this.chooser.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.chooser.open = false;
      this.chooser.querySelector("summary").focus();
    });
  }

  closeUnless(target) {
    if (this.chooser.open && !this.chooser.contains(target)) this.chooser.open = false;
  }

  update(model, notice) {
    setText(this.notice, notice ? `\u25b2 ${notice}` : "");
    const positions = model.positions.size;
    const groups = model.groups.size;
    setText(this.summary, `${positions} position${positions === 1 ? "" : "s"} in ${groups} underlying${groups === 1 ? "" : "s"}`);
    this.legs.hidden = model.legs.size === 0;
    const allOpen = [...model.legs.keys()].every((id) => this.memory.open.has(id));
    setText(this.legs, allOpen ? "Hide legs" : "Show legs");
  }
}
