// The whole table: one object per mounted widget, updated by every refresh and controlled by mouse and keyboard.

import { Bar } from "./bar.js";
import { Choices } from "./choices.js";
import { advanceServerTime, countSleep, serverNow } from "./clock.js";
import { element, setText } from "./dom.js";
import { leadsToFills, showFills } from "./fills_link.js";
import { Header } from "./header.js";
import { onHeadingKey, onTableKey } from "./keyboard.js";
import { Model } from "./model.js";
import { Order } from "./order.js";
import { PageTitle } from "./page_title.js";
import { ownerOf } from "./row.js";
import { Rows } from "./rows.js";
import { areAllOld } from "./states.js";

/** @typedef {import("./payload.d.ts").Payload} Payload */
/** @typedef {import("./payload.d.ts").Row} Row */
/** @typedef {import("./row.js").RowView} RowView */
/** @typedef {{select(id: string | null): void, group(by: string): void, show(columns: string[]): void, report(version: number | null): void}} Server */

const TICK_MILLISECONDS = 1000;

/** The last request to show a row that this page has followed; a table that is built again does not repeat it. */
let revealed = 0;

export class PositionsTable {
  /** @param {HTMLElement} root @param {Payload} data @param {Server} server */
  constructor(root, data, server) {
    this.root = root;
    this.server = server;
    this.model = new Model();
    this.order = new Order();
    this.choices = new Choices(data.storage, []);
    /** The headings shown, as JSON. */
    this.headings = "";
    this.title = new PageTitle();
    /** The selection that the server knows. @type {string | null} */
    this.reported = null;
    this.bar = new Bar(root, this.choices, {
      showColumn: (id, shown) => this.showColumn(id, shown),
      toggleAll: () => this.toggleAll(),
      foldAll: () => this.foldAll(),
      groupBy: (id) => this.groupBy(id),
      search: (words) => this.search(words),
    });
    /** The grouping last requested from the server. */
    this.grouping = "";
    /** The optional columns whose figures the server sends. @type {string[]} */
    this.figures = [];
    /** The grouping of the rows shown. @type {string | undefined} */
    this.grouped = undefined;
    this.scrolling = false;
    this.scroll = element("div", "pt-scroll", root);
    this.table = element("table", "pt-table", this.scroll);
    this.table.setAttribute("role", "treegrid");
    this.table.setAttribute("aria-label", "Positions");
    this.header = new Header(this.table, this.choices, (id) => this.sortBy(id));
    this.thead = this.header.thead;
    this.rows = new Rows(this.scroll, this.table);
    this.empty = element("p", "pt-empty", root);
    this.#listen();
    // Streamlit makes the page's scroller a Tab stop between the menu and the first button.
    root.closest("main")?.setAttribute("tabindex", "-1");
  }

  #listen() {
    const { tbody } = this.rows;
    tbody.addEventListener("click", (event) => this.#onClick(/** @type {HTMLElement} */ (event.target)));
    tbody.addEventListener("keydown", (event) => onTableKey(this, event));
    this.thead.addEventListener("keydown", (event) => onHeadingKey(this, event));
    this.listening = new AbortController();
    const { signal } = this.listening;
    document.addEventListener("pointerdown", ({ target }) => this.bar.closeUnless(/** @type {Node} */ (target)), { signal });
    document.addEventListener("visibilitychange", () => this.tick(), { signal });
    // Captured, to notice the page's own scroller too, which is an ancestor.
    document.addEventListener("scroll", () => this.#onScroll(), { signal, capture: true, passive: true });
    this.sizes = new ResizeObserver(() => {
      this.#onScroll();
      this.header.fit();
      this.table.classList.toggle("is-wide", this.scroll.scrollWidth > this.scroll.clientWidth);
    });
    for (const each of [this.scroll, this.table]) this.sizes.observe(each);
    this.timer = setInterval(() => this.tick(), TICK_MILLISECONDS);
  }

  destroy() {
    clearInterval(this.timer);
    this.sizes?.disconnect();
    this.listening?.abort();
    this.title.stop();
    this.root.replaceChildren();
  }

  /** Show one refresh. @param {Payload} data */
  show(data) {
    advanceServerTime(data.sent_at);
    if (!this.model.take(data)) {
      this.server.report(this.model.version);
      return;
    }
    // From now on, the server sends only what has changed since its last message.
    if (data.since === null) this.server.report(data.version);
    if (data.layout) this.#layOut(data.layout.columns, data.storage);
    this.#askForGroups(data.grouping);
    this.#takeColumns(data.columns);
    this.order.adopt(this.model);
    this.draw();
    this.#reveal(data.reveal);
    this.title.raised = data.raised;
    this.title.update();
    this.#reportSelection();
  }

  /** Build the columns, unless the table already has them. @param {import("./payload.d.ts").Column[]} headings @param {string} storage */
  #layOut(headings, storage) {
    const text = JSON.stringify(headings);
    if (text === this.headings) return;
    this.headings = text;
    Object.assign(this.choices, new Choices(storage, this.model.columns), { search: this.choices.search });
    this.bar.build(this.model.columns);
    this.#buildColumns();
  }

  #buildColumns() {
    const columns = this.model.columns.filter((column) => this.choices.columns.has(column.id));
    this.header.build(columns);
    this.rows.build(columns);
  }

  draw() {
    const visible = this.order.visible(this.model, this.choices);
    this.rows.show(visible);
    this.#update(this.#lay());
    this.empty.hidden = visible.length > 0;
    setText(this.empty, this.choices.search ? `No position matches "${this.choices.search}".` : "No positions.");
    this.table.hidden = visible.length === 0;
    this.bar.update(this.model, this.#notice(), this.header.hidden.length);
    this.#markStale();
  }

  /** Sort the rows if their grouping has changed, and request the chosen grouping once. @param {string} present */
  #askForGroups(present) {
    const { grouping, sort } = this.choices;
    if (this.grouped !== present) this.order.sort(this.model, sort);
    this.grouped = present;
    if (grouping === present || grouping === this.grouping) return;
    this.grouping = grouping;
    this.server.group(grouping);
  }

  /** Sort by figures that have only now arrived. @param {string[]} figures */
  #takeColumns(figures) {
    const { sort } = this.choices;
    const isNew = sort !== null && figures.includes(sort.column) && !this.figures.includes(sort.column);
    this.figures = figures;
    if (isNew) this.order.sort(this.model, sort);
    this.#askForColumns();
  }

  /** Ask the server for the figures of the optional columns that are shown or sorted by. */
  #askForColumns() {
    const wanted = this.model.columns.filter(({ id, optional }) => (
      optional && (this.choices.columns.has(id) || this.choices.sort?.column === id)));
    const ids = wanted.map(({ id }) => id).sort();
    if (ids.join(" ") !== this.figures.join(" ")) this.server.show(ids);
  }

  #onScroll() {
    if (this.scrolling || !this.rows.areMany) return;
    this.scrolling = true;
    requestAnimationFrame(() => {
      this.scrolling = false;
      this.rows.keepPlace(() => this.#lay());
    });
  }

  /** Build the rows that come near what is in sight; return those that were there. */
  #lay() {
    const { stayed, came } = this.rows.lay();
    this.#update(came);
    return stayed;
  }

  /** @param {Iterable<RowView>} views */
  #update(views) {
    const now = serverNow();
    const widen = (/** @type {string} */ id, /** @type {number} */ characters) => this.header.widen(id, characters);
    for (const view of views) {
      const { row } = view;
      let expanded = null;
      if (row.kind === "group") expanded = !this.choices.folded.has(row.id);
      else if (this.model.legs.has(row.id)) expanded = this.choices.open.has(row.id);
      const found = row.kind === "group" ? this.order.found.get(row.id) : undefined;
      view.update(row, { now, expanded, selected: ownerOf(row) === this.choices.selected, model: this.model, found, widen });
    }
    this.header.fitIfWider();
  }

  /** Update everything that changes with time alone. */
  tick() {
    countSleep();
    this.title.update();
    if (this.model.version === null || document.hidden) return;
    for (const view of this.rows.views.values()) view.tick(serverNow(), this.model);
    this.header.fitIfWider();
    this.bar.update(this.model, this.#notice(), this.header.hidden.length);
    this.#markStale();
  }

  #notice() {
    const app = /** @type {HTMLElement | null} */ (this.root.closest("[data-test-connection-state]"));
    const isLost = app && app.dataset.testConnectionState !== "CONNECTED";
    const isSilent = "ohSilent" in document.documentElement.dataset;
    return isLost || isSilent ? "This page has lost its server; its figures are old." : "";
  }

  #markStale() {
    const allOld = areAllOld([...this.model.positions.values()], serverNow(), this.model.layout);
    this.root.classList.toggle("is-stale", allOld || this.#notice() !== "");
  }

  /** Focus a row and bring it into sight. @param {Row | undefined} row @param {ScrollLogicalPosition} [block] */
  focusRow(row, block = "nearest") {
    if (!row) return;
    this.rows.stop = row.key;
    // As the tab stop it is in the document. Once it is in sight, its neighbours come, which may be higher than their gap.
    for (let time = 0; time < 2; time++) {
      this.#lay();
      this.rows.views.get(row.key)?.tr.scrollIntoView({ block, inline: "nearest" });
    }
    this.rows.views.get(row.key)?.tr.focus({ preventScroll: true });
  }

  /** @param {HTMLElement} tr */
  rowOf(tr) {
    return this.rows.views.get(tr.dataset.key ?? "")?.row;
  }

  /** @param {HTMLElement} target */
  #onClick(target) {
    const tr = target.closest("tr");
    const row = tr && this.rowOf(tr);
    if (!tr || !row) return;
    this.rows.stop = row.key;
    if (row.kind === "group" || target.closest(".pt-twist")) this.toggle(row);
    else {
      this.select(ownerOf(row));
      if (target.closest(".pt-note") && leadsToFills(String(row.note ?? ""))) showFills(ownerOf(row));
    }
  }

  /** Open or close a row; return false if nothing changed. @param {Row} row @param {boolean} [open] */
  toggle(row, open) {
    const isGroup = row.kind === "group";
    if (!isGroup && !this.model.legs.has(row.id)) return false;
    const ids = isGroup ? this.choices.folded : this.choices.open;
    const isOpen = isGroup ? !ids.has(row.id) : ids.has(row.id);
    if (open === isOpen) return false;
    if (!ids.delete(row.id)) ids.add(row.id);
    this.#changed();
    return true;
  }

  foldAll() {
    const ids = [...this.model.groups.keys()];
    const { folded } = this.choices;
    const allFolded = ids.every((id) => folded.has(id));
    for (const id of ids) {
      if (allFolded) folded.delete(id);
      else folded.add(id);
    }
    this.#changed();
  }

  /** @param {string} id */
  groupBy(id) {
    this.choices.grouping = id;
    this.choices.save();
    this.grouping = id;
    this.server.group(id);
  }

  /** @param {string} words */
  search(words) {
    this.choices.search = words.trim();
    this.draw();
  }

  toggleAll() {
    const ids = [...this.model.legs.keys()];
    const allOpen = ids.every((id) => this.choices.open.has(id));
    for (const id of ids) {
      if (allOpen) this.choices.open.delete(id);
      else this.choices.open.add(id);
    }
    this.#changed();
  }

  /** Sort by a column: first one way, then the other, then not at all. @param {string} id */
  sortBy(id) {
    const first = this.model.columnById.get(id)?.firstDirection ?? 1;
    const { sort } = this.choices;
    if (sort?.column !== id) this.choices.sort = { column: id, direction: first };
    else this.choices.sort = sort.direction === first ? { column: id, direction: first === 1 ? -1 : 1 } : null;
    this.order.sort(this.model, this.choices.sort);
    this.header.update();
    this.#changed();
  }

  /** @param {string} id @param {boolean} shown */
  showColumn(id, shown) {
    if (shown) this.choices.columns.add(id);
    else this.choices.columns.delete(id);
    this.#buildColumns();
    this.#changed();
  }

  /** @param {string | null} id */
  select(id) {
    this.choices.selected = id;
    this.#changed();
    this.#reportSelection();
  }

  /** Scroll to the group that the page requests, or select the position and scroll to it. @param {Payload["reveal"]} request */
  #reveal(request) {
    if (!request || request.number <= revealed) return;
    revealed = request.number;
    const group = this.rows.shown.find((shown) => shown.kind === "group" && shown.id === request.group);
    if (group) {
      this.focusRow(group, "center");
      return;
    }
    const row = this.model.positions.get(request.id);
    if (!row) return;
    this.choices.folded.delete(String(row.group));
    this.choices.selected = row.id;
    this.#changed();
    this.focusRow(row, "center");
  }

  #changed() {
    this.choices.save();
    this.#askForColumns();
    this.draw();
  }

  #reportSelection() {
    const { selected } = this.choices;
    const known = selected !== null && this.model.positions.has(selected) ? selected : null;
    if (known === this.reported) return;
    this.reported = known;
    this.server.select(known);
  }
}
