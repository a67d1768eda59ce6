// The bar above the table: a notice, the number of positions, grouping, search, and the choice of columns.

import { GROUPINGS } from "./choices.js";
import { element, setText } from "./dom.js";
import { formatCount } from "./formats.js";
import { makeToolbar } from "./keyboard.js";

/** @typedef {import("./to_column.js").Column} Column */
/** @typedef {import("./choices.js").Choices} Choices */
/** @typedef {import("./model.js").Model} Model */
/** @typedef {{showColumn(id: string, shown: boolean): void, toggleAll(): void, foldAll(): void,
 *   groupBy(id: string): void, search(words: string): void}} Actions */

export class Bar {
  /** @param {HTMLElement} parent @param {Choices} choices @param {Actions} actions */
  constructor(parent, choices, actions) {
    this.choices = choices;
    this.actions = actions;
    const bar = element("div", "pt-bar", parent);
    bar.setAttribute("aria-label", "Table view");
    this.notice = element("span", "pt-notice", bar);
    this.notice.setAttribute("role", "status");
    this.summary = element("span", "pt-summary", bar);
    this.grouping = addGrouping(bar, actions);
    this.search = element("input", "pt-search", bar);
    this.search.type = "search";
    this.search.placeholder = "Search";
    this.search.setAttribute("aria-label", "Search positions");
    this.search.addEventListener("input", () => actions.search(this.search.value));
    this.fold = element("button", "pt-button", bar);
    this.fold.type = "button";
    this.fold.addEventListener("click", actions.foldAll);
    this.legs = element("button", "pt-button", bar);
    this.legs.type = "button";
    this.legs.addEventListener("click", actions.toggleAll);
    this.chooser = element("details", "pt-chooser", bar);
    this.button = element("summary", "pt-button", this.chooser, "Columns");
    this.list = element("div", "pt-choices", this.chooser);
    this.list.setAttribute("role", "group");
    this.list.setAttribute("aria-label", "Shown columns");
    this.chooser.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      this.chooser.open = false;
      this.button.focus();
    });
    this.rove = makeToolbar(bar);
  }

  /** Offer every column but the name. @param {Column[]} columns */
  build(columns) {
    this.list.replaceChildren();
    for (const column of columns) {
      if (column.format === "name") continue;
      const label = element("label", "", this.list);
      const box = element("input", "", label);
      box.type = "checkbox";
      box.checked = this.choices.columns.has(column.id);
      box.addEventListener("change", () => this.actions.showColumn(column.id, box.checked));
      element("b", "", label, column.label);
      element("span", "", label, column.help);
    }
  }

  /** Close the list of columns after a click elsewhere. @param {Node} target */
  closeUnless(target) {
    if (this.chooser.open && !this.chooser.contains(target)) this.chooser.open = false;
  }

  /** @param {Model} model @param {string} notice @param {number} hidden The number of columns for which there is no room. */
  update(model, notice, hidden) {
    setText(this.notice, notice ? `\u25b2 ${notice}` : "");
    const groups = this.choices.grouping === "underlying" ? ` in ${counted(model.groups.size, "underlying")}` : "";
    setText(this.summary, `${counted(model.positions.size, "position")}${groups}`);
    if (this.grouping.value !== this.choices.grouping) this.grouping.value = this.choices.grouping;
    setText(this.button, hidden ? `Columns (${hidden} hidden)` : "Columns");
    this.fold.hidden = model.groups.size === 0;
    const allFolded = [...model.groups.keys()].every((id) => this.choices.folded.has(id));
    setText(this.fold, allFolded ? "Expand all" : "Collapse all");
    this.legs.hidden = model.legs.size === 0;
    const allOpen = [...model.legs.keys()].every((id) => this.choices.open.has(id));
    setText(this.legs, allOpen ? "Hide legs" : "Show legs");
    this.rove();
  }
}

/** @param {HTMLElement} bar @param {Actions} actions */
function addGrouping(bar, actions) {
  const label = element("label", "pt-grouping", bar, "Group by ");
  const chosen = element("select", "pt-button", label);
  for (const [id, name] of GROUPINGS) element("option", "", chosen, name).value = id;
  chosen.addEventListener("change", () => actions.groupBy(chosen.value));
  return chosen;
}

/** @param {number} number @param {string} noun */
const counted = (number, noun) => `${formatCount(number)} ${noun}${number === 1 ? "" : "s"}`;
