// Where Streamlit meets the table.

const mounted = new WeakMap();

// Streamlit calls this for every refresh with new data, and its return value once the widget is gone, or just
// before or after the next call: so only what is still the latest a moment later, and off the page, cleans up.
export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".positions-table");
  const select = (id) => setStateValue("selected", id);
  let widget = mounted.get(root);
  if (!widget) {
    widget = { table: new PositionsTable(root, data, select), calls: 0 };
    mounted.set(root, widget);
  }
  widget.calls += 1;
  const call = widget.calls;
  widget.table.select = select;
  widget.table.show(data);
  return () => setTimeout(() => {
    if (widget.calls !== call || root.isConnected) return;
    widget.table.destroy();
    mounted.delete(root);
  });
}
