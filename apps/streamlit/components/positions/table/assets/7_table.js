const AT_ONCE = 150;
const SPARE_ROWS = 20;
const COUNT_IN_TITLE = /^\(\d+\) /;

// The table as a whole: one object per mounted widget, fed by every refresh, driven by mouse and keyboard.

class PositionsTable {
  constructor(root, data, select) {
    this.memory = new Memory(data.storage);
    this.order = new Order();
    this.views = new Map();
    this.sent = undefined;
    this.select = select;
    this.root = root;
    setServerTime(data.sent_at);
    const actions = {
      sortBy: (id) => this.sortBy(id),
      showColumn: (id, shown) => this.showColumn(id, shown),
      toggleAll: () => this.toggleAll(),
    };
    this.bar = new Bar(root, this.memory, actions);
    this.portions = new Portions((view) => view.update(view.row, this.#contextOf(view.row, serverNow())));
    this.scroll = element("div", "pt-scroll", root);
    this.table = element("table", "pt-table", this.scroll);
    this.table.setAttribute("role", "treegrid");
    this.table.setAttribute("aria-label", "Positions");
    this.header = new Header(this.table, this.memory, actions);
    this.tbody = element("tbody", "", this.table);
    this.empty = element("p", "pt-empty", root, "No positions.");
    this.#buildColumns();
    this.#listen();
  }

  #buildColumns() {
    this.columns = COLUMNS.map((column) => column.id).filter((id) => this.memory.columns.has(id));
    this.header.build(this.columns);
    this.tbody.replaceChildren();
    this.views.clear();
  }

  #listen() {
    this.tbody.addEventListener("click", (event) => this.#onClick(event));
    this.tbody.addEventListener("keydown", (event) => onTableKey(this, event));
    this.onPointer = (event) => this.bar.closeUnless(event.target);
    this.onVisibility = () => this.tick();
    document.addEventListener("pointerdown", this.onPointer);
    document.addEventListener("visibilitychange", this.onVisibility);
    this.sizes = new ResizeObserver(() => {
      this.table.classList.toggle("is-wide", this.scroll.scrollWidth > this.scroll.clientWidth);
    });
    for (const each of [this.scroll, this.table]) this.sizes.observe(each);
    // A full run sets the page's title anew. Only a title without a count is answered, so that this has an end.
    this.titles = new MutationObserver(() => COUNT_IN_TITLE.test(document.title) || this.#titleRaised());
    this.titles.observe(document.head.querySelector("title"), { childList: true });
    this.timer = setInterval(() => this.tick(), 1000);
  }

  destroy() {
    clearInterval(this.timer);
    this.portions.stop();
    this.sizes.disconnect();
    this.titles.disconnect();
    document.removeEventListener("pointerdown", this.onPointer);
    document.removeEventListener("visibilitychange", this.onVisibility);
    this.data = { ...this.data, raised: 0 };
    this.#titleRaised();
    for (const node of [...this.root.children]) node.remove();
  }

  // One refresh.
  show(data) {
    this.data = data;
    setServerTime(data.sent_at);
    this.model = toModel(data);
    if (this.order.groups.length === 0) this.order.sort(this.model, this.memory.sort);
    else this.order.adopt(this.model);
    this.draw();
    this.#titleRaised();
    this.#tellSelection();
  }

  draw() {
    const shown = this.order.shown(this.model, this.memory);
    this.#place(shown);
    this.#refresh((view, now) => view.update(view.row, this.#contextOf(view.row, now)));
    this.empty.hidden = shown.length > 0;
    this.table.hidden = shown.length === 0;
    this.bar.update(this.model, this.#notice());
    this.#markStale();
    this.#keepTabStop();
  }

  // Rows into their places; nodes that stay where they are are not touched, so that nothing loses the focus.
  // An id that now names something else gets a row of its own: its mark did not move.
  #place(shown) {
    const rows = new Map(shown.map((row) => [row.key, row]));
    for (const [key, view] of this.views) {
      const row = rows.get(key);
      if (row?.kind === view.row.kind && row.group === view.row.group) continue;
      view.tr.remove();
      this.views.delete(key);
    }
    let next = this.tbody.firstChild;
    for (const row of shown) {
      const view = this.views.get(row.key) ?? this.#add(row);
      view.row = row;
      if (view.tr === next) next = next.nextSibling;
      else this.tbody.insertBefore(view.tr, next);
    }
  }

  // Rows in sight at once, the others in small portions right after: a thousand rows never hold up a frame.
  #refresh(work) {
    const now = serverNow();
    const views = [...this.tbody.children].map((tr) => this.views.get(tr.dataset.key));
    const { scrollTop, clientHeight, scrollHeight } = this.scroll;
    const first = (scrollTop / Math.max(scrollHeight, 1)) * views.length - SPARE_ROWS;
    const last = ((scrollTop + clientHeight) / Math.max(scrollHeight, 1)) * views.length + SPARE_ROWS;
    const inSight = (number) => views.length <= AT_ONCE || (number >= first && number <= last);
    views.filter((_, number) => inSight(number)).forEach((view) => work(view, now));
    this.portions.begin(views.filter((_, number) => !inSight(number)));
  }

  #add(row) {
    const view = new RowView(row, this.columns);
    this.views.set(row.key, view);
    return view;
  }

  #contextOf(row, now) {
    let expanded = null;
    if (row.kind === "group") expanded = !this.memory.folded.has(row.id);
    else if (this.model.legs.has(row.id)) expanded = this.memory.open.has(row.id);
    const owner = row.kind === "leg" ? row.parent : row.id;
    return {
      now, expanded, selected: owner === this.memory.selected,
      staleAfter: this.data.stale_after, warnings: this.data.warnings,
      widen: (id, characters) => this.header.widen(id, characters),
    };
  }

  tick() {
    this.#titleRaised();
    if (!this.model || document.hidden) return;
    this.#refresh((view, now) => view.tick(now, this.data.stale_after));
    this.bar.update(this.model, this.#notice());
    this.#markStale();
  }

  #notice() {
    const app = this.root.closest("[data-test-connection-state]");
    const lost = app && app.dataset.testConnectionState !== "CONNECTED";
    return lost ? "This page has lost its server; the figures are old." : "";
  }

  #markStale() {
    const now = serverNow();
    const rows = [...this.model.positions.values()];
    const states = rows.map((row) => stateOf(row, now, this.data.stale_after));
    const current = ["live", "quiet", "closed"];
    const allStale = states.includes("stale") && !states.some((state) => current.includes(state));
    this.root.classList.toggle("is-stale", allStale || Boolean(this.#notice()));
  }

  #titleRaised() {
    const bare = document.title.replace(COUNT_IN_TITLE, "");
    const title = document.hidden && this.data?.raised > 0 ? `(${this.data.raised}) ${bare}` : bare;
    if (document.title !== title) document.title = title;
  }

  // One row is in the tab order; it keeps its place while rows come and go around it.
  #keepTabStop() {
    const current = this.tbody.querySelector('tr[tabindex="0"]');
    if (!current && this.tbody.firstChild) this.tbody.firstChild.tabIndex = 0;
  }

  focusRow(tr) {
    if (!tr) return;
    for (const other of this.tbody.querySelectorAll('tr[tabindex="0"]')) other.tabIndex = -1;
    tr.tabIndex = 0;
    tr.focus({ preventScroll: true });
    tr.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  rowOf(node) {
    const tr = node.closest("tr[data-key]");
    return tr ? this.views.get(tr.dataset.key)?.row : undefined;
  }

  #onClick(event) {
    const row = this.rowOf(event.target);
    if (!row) return;
    const tr = event.target.closest("tr");
    for (const other of this.tbody.querySelectorAll('tr[tabindex="0"]')) other.tabIndex = -1;
    tr.tabIndex = 0;
    if (row.kind === "group" || event.target.closest(".pt-twist")) this.toggle(row);
    else this.choose(row.kind === "leg" ? row.parent : row.id);
  }

  toggle(row, open) {
    const set = row.kind === "group" ? this.memory.folded : this.memory.open;
    const isOpen = row.kind === "group" ? !set.has(row.id) : set.has(row.id);
    if (row.kind !== "group" && !this.model.legs.has(row.id)) return false;
    if (open === isOpen) return false;
    if (set.has(row.id)) set.delete(row.id);
    else set.add(row.id);
    this.#changed();
    return true;
  }

  toggleAll() {
    const ids = [...this.model.legs.keys()];
    const allOpen = ids.every((id) => this.memory.open.has(id));
    for (const id of ids) {
      if (allOpen) this.memory.open.delete(id);
      else this.memory.open.add(id);
    }
    this.#changed();
  }

  sortBy(id) {
    const first = COLUMN_BY_ID.get(id).text && id !== "dte" ? -1 : 1;
    const { sort } = this.memory;
    if (sort?.column !== id) this.memory.sort = { column: id, direction: first };
    else this.memory.sort = sort.direction === first ? { column: id, direction: -first } : null;
    this.order.sort(this.model, this.memory.sort);
    this.header.update();
    this.#changed();
  }

  showColumn(id, shown) {
    if (shown) this.memory.columns.add(id);
    else this.memory.columns.delete(id);
    this.#buildColumns();
    this.#changed();
  }

  choose(id) {
    this.memory.selected = id;
    this.#changed();
    this.#tellSelection();
  }

  #changed() {
    this.memory.save();
    this.draw();
  }

  #tellSelection() {
    const { selected } = this.memory;
    const known = selected !== null && this.model.positions.has(selected) ? selected : null;
    if (known === (this.sent ?? null)) return;
    this.sent = known;
    this.select(known);
  }
}

