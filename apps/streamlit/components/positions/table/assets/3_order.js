// The order of rows: frozen from one click to the next, because live re-sorting moves rows from under the hand.

class Order {
  constructor() {
    this.groups = [];
    this.rows = new Map();
  }

  // Sort again; a group is where its first row is, and missing values are last in both directions.
  sort(model, sort) {
    const rowIds = [...model.positions.keys()];
    if (sort) {
      const key = COLUMN_BY_ID.get(sort.column).sort;
      rowIds.sort((a, b) => compare(key(model.positions.get(a)), key(model.positions.get(b)), sort.direction));
    }
    this.groups = sort
      ? [...new Set(rowIds.map((id) => model.positions.get(id).group))]
      : [...model.groups.keys()];
    this.rows = new Map();
    for (const id of rowIds) this.#append(model.positions.get(id));
  }

  // Keep the order and put what is new at the end; an id that moved to another group is new there.
  adopt(model) {
    const known = new Set(this.groups);
    for (const group of model.groups.keys()) if (!known.has(group)) this.groups.push(group);
    for (const row of model.positions.values()) this.#append(row);
  }

  // A set: what already has its place in its group keeps it.
  #append(row) {
    if (!this.rows.has(row.group)) this.rows.set(row.group, new Set());
    this.rows.get(row.group).add(row.id);
  }

  // Every row that is on show, from top to bottom.
  shown(model, memory) {
    const shown = [];
    for (const groupId of this.groups) {
      const group = model.groups.get(groupId);
      if (!group) continue;
      shown.push(group);
      if (memory.folded.has(groupId)) continue;
      for (const id of this.rows.get(groupId) ?? []) {
        const row = model.positions.get(id);
        if (!row || row.group !== groupId) continue;
        shown.push(row);
        if (memory.open.has(id)) shown.push(...(model.legs.get(id) ?? []));
      }
    }
    return shown;
  }
}

function compare(a, b, direction) {
  const aMissing = a === null || a === undefined;
  const bMissing = b === null || b === undefined;
  if (aMissing || bMissing) return aMissing - bMissing;
  return (a < b ? -1 : a > b ? 1 : 0) * direction;
}

// The payload as maps by id; insertion order is the server's.
function toModel(data) {
  const model = { groups: new Map(), positions: new Map(), legs: new Map() };
  for (const values of data.groups) {
    const group = { ...toRow(data.group_fields, values), kind: "group" };
    model.groups.set(group.id, { ...group, key: `g:${group.id}` });
  }
  for (const values of data.rows) {
    const row = toRow(data.fields, values);
    if (row.kind === "leg") {
      const legs = model.legs.get(row.parent) ?? [];
      model.legs.set(row.parent, [...legs, { ...row, key: `l:${row.id}` }]);
    } else {
      model.positions.set(row.id, { ...row, key: `p:${row.id}` });
    }
  }
  return model;
}
