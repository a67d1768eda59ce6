import assert from "node:assert/strict";
import { test } from "node:test";

import { toColumn } from "../../options_helper/browser/to_column.js";
import { compare, Order } from "../../options_helper/browser/order.js";

const column = (id, format) => [id, toColumn({ id, format })];

function modelOf(rows) {
  return {
    positions: new Map(rows.map((row) => [row.id, row])),
    groups: new Map([...new Set(rows.map((row) => row.group))].map((id) => [id, { id }])),
    legs: new Map([["b", [{ id: "b/0" }]]]),
    columnById: new Map([column("position", "name"), column("mark", "price"), column("quote", "state")]),
  };
}

const ROWS = [
  { id: "a", group: "AAPL", name: "Zebra", mark: 1, time: 300 },
  { id: "b", group: "AAPL", name: "apple", mark: null, time: 100 },
  { id: "c", group: "MSFT", name: "Mango", mark: 5, time: 200 },
];
const CHOICES = { folded: new Set(), open: new Set(), search: "" };

const sorted = (columnId, direction) => {
  const order = new Order();
  order.sort(modelOf(ROWS), columnId ? { column: columnId, direction } : null);
  return order.visible(modelOf(ROWS), CHOICES).map((row) => row.id);
};

test("without a sort the rows are in the server's order, below their group", () => {
  assert.deepEqual(sorted(null), ["AAPL", "a", "b", "MSFT", "c"]);
});

test("a group takes the place of its first row", () => {
  assert.deepEqual(sorted("mark", -1), ["MSFT", "c", "AAPL", "a", "b"]);
});

test("missing figures come last in both directions", () => {
  assert.deepEqual(sorted("mark", 1), ["AAPL", "a", "b", "MSFT", "c"]);
  assert.deepEqual([compare(null, 1, 1), compare(null, 1, -1), compare("", 1, -1)], [1, 1, 1]);
});

test("names sort without regard to case, quotes by their time", () => {
  assert.deepEqual(sorted("position", 1), ["AAPL", "b", "a", "MSFT", "c"]);
  assert.deepEqual(sorted("quote", 1), ["AAPL", "b", "a", "MSFT", "c"]);
});

test("the first click brings the largest figures up, and the soonest expiry", () => {
  assert.deepEqual(["mark", "dte"].map((id) => toColumn({ id, format: "price" }).firstDirection), [-1, 1]);
});

test("rows keep their order while figures change, and new ones come last", () => {
  const order = new Order();
  order.sort(modelOf(ROWS), { column: "mark", direction: -1 });
  const later = modelOf([...ROWS.map((row) => ({ ...row, mark: 10 - (row.mark ?? 0) })), { id: "d", group: "SPY", name: "d" }]);
  order.adopt(later);
  assert.deepEqual(order.visible(later, CHOICES).map((row) => row.id), ["MSFT", "c", "AAPL", "a", "b", "SPY", "d"]);
});

test("collapsed groups hide their rows, open structures show their legs", () => {
  const order = new Order();
  order.sort(modelOf(ROWS), null);
  const choices = { folded: new Set(["MSFT"]), open: new Set(["b"]), search: "" };
  assert.deepEqual(order.visible(modelOf(ROWS), choices).map((row) => row.id), ["AAPL", "a", "b", "b/0", "MSFT"]);
});

test("groups with a sum sort by it, and an unknown sum comes last", () => {
  const model = modelOf([...ROWS, { id: "d", group: "SPY", name: "d" }]);
  model.columnById.set(...column("pnl_open", "pnl"));
  model.groups = new Map([["AAPL", { id: "AAPL", pnl_open: 5 }], ["MSFT", { id: "MSFT", pnl_open: 9 }], ["SPY", { id: "SPY", pnl_open: null }]]);
  const order = new Order();
  order.sort(model, { column: "pnl_open", direction: -1 });
  assert.deepEqual(order.groups, ["MSFT", "AAPL", "SPY"]);
  order.sort(model, { column: "pnl_open", direction: 1 });
  assert.deepEqual(order.groups, ["AAPL", "MSFT", "SPY"]);
});

test("a search keeps the rows that have every word, and opens their groups", () => {
  const order = new Order();
  order.sort(modelOf(ROWS), null);
  const choices = { folded: new Set(["MSFT"]), open: new Set(), search: "msft man" };
  assert.deepEqual(order.visible(modelOf(ROWS), choices).map((row) => row.id), ["MSFT", "c"]);
  assert.equal(order.found.size, 0);
  order.visible(modelOf(ROWS), { ...choices, search: "zebra" });
  assert.deepEqual([...order.found], [["AAPL", [1, 2]]]);
  assert.deepEqual(order.visible(modelOf(ROWS), { ...choices, search: "nothing" }), []);
  order.visible(modelOf(ROWS), CHOICES);
  assert.equal(order.found.size, 0);
});

test("rows without a group row stand by themselves", () => {
  const model = { ...modelOf(ROWS.map((row) => ({ ...row, group: "" }))), groups: new Map() };
  const order = new Order();
  order.sort(model, null);
  order.adopt(model);
  assert.deepEqual(order.visible(model, { ...CHOICES, folded: new Set([""]) }).map((row) => row.id), ["a", "b", "c"]);
});
