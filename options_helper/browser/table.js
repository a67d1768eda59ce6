// The whole table: one object per mounted widget, updated by every refresh and controlled by mouse and keyboard.

import { Bar } from "./bar.js";
import { Choices } from "./choices.js";
import { advanceServerTime, countSleep, serverNow } from "./clock.js";
import { element } from "./dom.js";
import { Header } from "./header.js";
import { onHeadingKey, onTableKey } from "./keyboard.js";
import { Model } from "./model.js";
import { Order } from "./order.js";
import { PageTitle } from "./page_title.js";
import { ownerOf, RowView } from "./row.js";
import { stateOf } from "./states.js";

/** @typedef {import("./payload.d.ts").Payload} Payload */
/** @typedef {import("./payload.d.ts").Row} Row */
/** @typedef {{select(id: string | null): void, group(by: string): void, resend(): void}} Server */

const AT_ONCE = 150; // beyond this number, only rows near the visible ones are built
const SPARE_PIXELS = 900;
const TICK_MILLISECONDS = 1000;
const CURRENT_STATES = ["live", "quiet", "closed"];
const OLD_STATES = ["stale", "from_yesterday"];

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
    /** @type {Map<string, RowView>} */
    this.views = new Map();
    /** The selection that the server knows. @type {string | null} */
    this.reported = null;
    /** The last request to show a row; one from before this table was built counts as done. */
    this.revealed = data.reveal?.number ?? 0;
    this.bar = new Bar(root, this.choices, {
      showColumn: (id, shown) => this.showColumn(id, shown),
      toggleAll: () => this.toggleAll(),
      foldAll: () => this.foldAll(),
      groupBy: (id) => this.groupBy(id),
      search: (words) => this.search(words),
    });
    /** The grouping last requested from the server. */
    this.grouping = "";
    /** The grouping of the rows shown. @type {string | undefined} */
    this.grouped = undefined;
    this.scrolling = false;
    this.scroll = element("div", "pt-scroll", root);
    this.table = element("table", "pt-table", this.scroll);
    this.table.setAttribute("role", "treegrid");
    this.table.setAttribute("aria-label", "Positions");
    this.header = new Header(this.table, this.choices, (id) => this.sortBy(id));
    this.thead = this.header.thead;
    this.tbody = element("tbody", "", this.table);
    this.empty = element("p", "pt-empty", root, "No positions.");
    this.#listen();
    // Streamlit makes the page's scroller a Tab stop between the menu and the first button.
    root.closest("main")?.setAttribute("tabindex", "-1");
  }

  #listen() {
    this.tbody.addEventListener("click", (event) => this.#onClick(/** @type {HTMLElement} */ (event.target)));
    this.tbody.addEventListener("keydown", (event) => onTableKey(this, event));
    this.thead.addEventListener("keydown", (event) => onHeadingKey(this, event));
    this.listening = new AbortController();
    const { signal } = this.listening;
    document.addEventListener("pointerdown", ({ target }) => this.bar.closeUnless(/** @type {Node} */ (target)), { signal });
    document.addEventListener("visibilitychange", () => this.tick(), { signal });
    // Captured, to notice the page's own scroller too, which is an ancestor.
    document.addEventListener("scroll", () => this.#onScroll(), { signal, capture: true, passive: true });
    this.sizes = new ResizeObserver(() => {
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
    delete this.root.dataset.version;
  }

  /** Show one refresh. @param {Payload} data */
  show(data) {
    advanceServerTime(data.sent_at);
    if (!this.model.take(data)) {
      this.server.resend();
      return;
    }
    // The page reports this version to the server, which then sends only what has changed since.
    this.root.dataset.version = String(this.model.version);
    if (data.layout) this.#layOut(data.layout.columns, data.storage);
    this.#askForGroups(data.grouping);
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
    this.columns = this.model.columns.filter((column) => this.choices.columns.has(column.id));
    this.header.build(this.columns);
    this.tbody.replaceChildren();
    this.views.clear();
  }

  draw() {
    const visible = this.order.visible(this.model, this.choices);
    this.#place(visible);
    this.#refresh((view, now) => this.#update(view, now));
    this.empty.hidden = visible.length > 0;
    this.table.hidden = visible.length === 0;
    this.bar.update(this.model, this.#notice());
    this.#markStale();
    this.#keepTabStop();
  }

  /**
   * Put rows into their places. A row that stays in place is not touched, so that it keeps the focus. An id that now
   * names something else gets a new row, so that its mark does not seem to move.
   * @param {Row[]} visible
   */
  #place(visible) {
    const rows = new Map(visible.map((row) => [row.key, row]));
    for (const [key, view] of this.views) {
      const row = rows.get(key);
      if (row?.kind === view.row.kind && row.group === view.row.group) continue;
      view.tr.remove();
      this.views.delete(key);
    }
    let next = this.tbody.firstChild;
    for (const row of visible) {
      const view = this.views.get(row.key) ?? this.#add(row);
      view.row = row;
      if (view.tr === next) next = next.nextSibling;
      else this.tbody.insertBefore(view.tr, next);
    }
  }

  /** @param {Row} row */
  #add(row) {
    const view = new RowView(row, this.columns ?? []);
    this.views.set(row.key, view);
    return view;
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

  #onScroll() {
    if (this.scrolling || this.tbody.childElementCount <= AT_ONCE) return;
    this.scrolling = true;
    requestAnimationFrame(() => {
      this.scrolling = false;
      this.#refresh(() => {});
    });
  }

  /**
   * Call `work` for the rows near the visible ones; a row that comes near is built, and one that goes far drops its cells.
   * @param {(view: RowView, now: number) => void} work
   */
  #refresh(work) {
    const now = serverNow();
    const views = [...this.tbody.children].map((tr) => this.#viewOf(tr)).filter((view) => view !== undefined);
    const [first, last] = views.length <= AT_ONCE ? [0, views.length] : this.#near(views);
    const far = views.filter((view, number) => view.place && (number < first || number >= last));
    for (const view of far) view.height = view.tr.offsetHeight || view.height;
    for (const view of far) view.hollow();
    for (const view of views.slice(first, last)) {
      if (view.fill()) this.#update(view, now);
      else work(view, now);
    }
  }

  /** Return the range of the rows near the visible ones, its end exclusive. @param {RowView[]} views */
  #near(views) {
    const { top, bottom } = this.scroll.getBoundingClientRect();
    const above = Math.max(top, 0) - SPARE_PIXELS;
    const below = Math.min(bottom, innerHeight) + SPARE_PIXELS;
    return [firstWhere(views, (box) => box.bottom >= above), firstWhere(views, (box) => box.top > below)];
  }

  /** @param {RowView} view @param {number} now */
  #update(view, now) {
    const { row } = view;
    let expanded = null;
    if (row.kind === "group") expanded = !this.choices.folded.has(row.id);
    else if (this.model.legs.has(row.id)) expanded = this.choices.open.has(row.id);
    view.update(row, {
      now, expanded, selected: ownerOf(row) === this.choices.selected, model: this.model,
      widen: (id, characters) => this.header.widen(id, characters),
    });
  }

  /** Update everything that changes with time alone. */
  tick() {
    countSleep();
    this.title.update();
    if (this.model.version === null || document.hidden) return;
    this.#refresh((view, now) => view.tick(now, this.model));
    this.bar.update(this.model, this.#notice());
    this.#markStale();
  }

  #notice() {
    const app = /** @type {HTMLElement | null} */ (this.root.closest("[data-test-connection-state]"));
    const isLost = app && app.dataset.testConnectionState !== "CONNECTED";
    const isSilent = "ohSilent" in document.documentElement.dataset;
    return isLost || isSilent ? "This page has lost its server; its figures are old." : "";
  }

  #markStale() {
    const now = serverNow();
    const states = [...this.model.positions.values()].map((row) => stateOf(row, now, this.model.layout));
    const isCurrent = states.some((state) => CURRENT_STATES.includes(state));
    const allStale = !isCurrent && states.some((state) => OLD_STATES.includes(state));
    this.root.classList.toggle("is-stale", allStale || this.#notice() !== "");
  }

  // One row is in the tab order, and stays there while rows come and go around it.
  #keepTabStop() {
    const first = /** @type {HTMLElement | null} */ (this.tbody.firstElementChild);
    if (first && !this.tbody.querySelector('tr[tabindex="0"]')) first.tabIndex = 0;
  }

  /** @param {HTMLElement} tr */
  #takeTabStop(tr) {
    const stops = /** @type {NodeListOf<HTMLElement>} */ (this.tbody.querySelectorAll('tr[tabindex="0"]'));
    for (const other of stops) other.tabIndex = -1;
    tr.tabIndex = 0;
  }

  /** @param {HTMLElement | undefined} tr */
  focusRow(tr) {
    if (!tr) return;
    this.#takeTabStop(tr);
    tr.focus({ preventScroll: true });
    tr.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** @param {Element} tr */
  #viewOf(tr) {
    return this.views.get(/** @type {HTMLElement} */ (tr).dataset.key ?? "");
  }

  /** @param {Element} tr */
  rowOf(tr) {
    return this.#viewOf(tr)?.row;
  }

  /** @param {HTMLElement} target */
  #onClick(target) {
    const tr = target.closest("tr");
    const row = tr && this.rowOf(tr);
    if (!tr || !row) return;
    this.#takeTabStop(tr);
    if (row.kind === "group" || target.closest(".pt-twist")) this.toggle(row);
    else this.select(ownerOf(row));
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

  /** Select the row that the page requests, and scroll it into view. @param {Payload["reveal"]} request */
  #reveal(request) {
    if (!request || request.number <= this.revealed) return;
    this.revealed = request.number;
    const row = this.model.positions.get(request.id);
    if (!row) return;
    this.choices.folded.delete(String(row.group));
    this.choices.selected = row.id;
    this.#changed();
    const tr = this.views.get(row.key)?.tr;
    tr?.scrollIntoView({ block: "center" });
    tr?.focus({ preventScroll: true });
  }

  #changed() {
    this.choices.save();
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

/**
 * Return the number of the first row with a box that passes; the boxes are in order.
 * @param {RowView[]} views
 * @param {(box: DOMRect) => boolean} passes
 */
function firstWhere(views, passes) {
  let [low, high] = [0, views.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (passes(views[middle].tr.getBoundingClientRect())) high = middle;
    else low = middle + 1;
  }
  return low;
}
