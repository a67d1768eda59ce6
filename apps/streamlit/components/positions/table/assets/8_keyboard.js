// Arrows move and open, Enter and Space choose (and open what has legs), Escape lets go.
function onTableKey(table, event) {
  const tr = event.target.closest("tr[data-key]");
  if (!tr || event.ctrlKey || event.metaKey || event.altKey) return;
  const row = table.rowOf(tr);
  const rows = [...table.tbody.children];
  const at = rows.indexOf(tr);
  const to = (place) => table.focusRow(rows[Math.min(Math.max(place, 0), rows.length - 1)]);
  const parent = () => rows.slice(0, at).findLast((other) => other.ariaLevel < tr.ariaLevel);
  const keys = {
    ArrowDown: () => to(at + 1),
    ArrowUp: () => to(at - 1),
    PageDown: () => to(at + 10),
    PageUp: () => to(at - 10),
    Home: () => to(0),
    End: () => to(rows.length - 1),
    ArrowRight: () => { if (!table.toggle(row, true) && tr.ariaExpanded === "true") to(at + 1); },
    ArrowLeft: () => { if (!table.toggle(row, false)) table.focusRow(parent()); },
    Enter: () => activate(table, row),
    " ": () => activate(table, row),
    Escape: () => table.choose(null),
  };
  if (!(event.key in keys)) return;
  event.preventDefault();
  keys[event.key]();
}

function activate(table, row) {
  if (row.kind !== "group") table.choose(row.kind === "leg" ? row.parent : row.id);
  if (row.kind !== "leg") table.toggle(row);
}
