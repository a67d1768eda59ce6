// The positions table's entry point for Streamlit.

import { PositionsTable } from "./table.js";

/** @typedef {import("./payload.d.ts").Mounted<Uint8Array>} Mounted */

/** @type {WeakMap<HTMLElement, {table: PositionsTable, calls: number}>} */
const mounted = new WeakMap();

/**
 * Show a refresh. Streamlit calls the returned function once the widget is gone, but also shortly before or after the
 * next call; it therefore cleans up only if no call has followed and the widget is off the page.
 * @param {Mounted} mount
 */
export default function show({ data, parentElement, setStateValue, setTriggerValue }) {
  const root = /** @type {HTMLElement} */ (parentElement.querySelector(".positions-table"));
  const payload = JSON.parse(new TextDecoder().decode(data));
  const server = {
    select: (/** @type {string | null} */ id) => setStateValue("selected", id),
    group: (/** @type {string} */ by) => setStateValue("grouping", by),
    show: (/** @type {string[]} */ columns) => setTriggerValue("columns", columns),
    report: (/** @type {number | null} */ version) => setTriggerValue("rows", { version }),
  };
  const widget = mounted.get(root) ?? { table: new PositionsTable(root, payload, server), calls: 0 };
  mounted.set(root, widget);
  widget.calls += 1;
  const call = widget.calls;
  widget.table.server = server;
  widget.table.show(payload);
  return () => setTimeout(() => {
    if (widget.calls !== call || root.isConnected) return;
    widget.table.destroy();
    mounted.delete(root);
  });
}
