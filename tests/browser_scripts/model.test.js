import assert from "node:assert/strict";
import { test } from "node:test";

import { Model } from "../../options_helper/browser/model.js";
import { describeStale } from "../../options_helper/browser/states.js";

const HEADING = { label: "", help: "", decimals: 2, optional: false, toned: false, below: null };
const LAYOUT = {
  columns: [
    { ...HEADING, id: "position", format: "name" },
    { ...HEADING, id: "mark", format: "price" },
    { ...HEADING, id: "quote", format: "state" },
  ],
  states: { live: { sign: "+", word: "live", aged: true }, no_data: { sign: "-", word: "no data", aged: false } },
  stale_after: 30,
};
const FIELDS = ["id", "kind", "group", "parent", "name", "mark"];

function everything(version = 1) {
  return {
    version, since: null, layout: LAYOUT, warnings: { wide: ["wide", "The spread is wide."] },
    groups: { fields: ["id", "name"], rows: [[0, "AAPL", "AAPL"]] },
    rows: {
      fields: FIELDS,
      rows: [
        [0, "call", "position", "AAPL", null, "250 call", 1.5],
        [1, "spread", "structure", "AAPL", null, "Vertical", 2],
        [2, "spread/0", "leg", "AAPL", "spread", "long 250 put", 3],
        [3, "spread/1", "leg", "AAPL", "spread", "short 240 put", 1],
      ],
    },
  };
}

const changes = (version, since, rows) => ({
  version, since, layout: null, warnings: {}, groups: { fields: [], rows: [] }, rows: { fields: ["mark"], rows },
});

test("the first message has every row, and legs belong to their structure", () => {
  const model = new Model();
  assert.equal(model.take(everything()), true);
  assert.deepEqual([...model.positions.keys()], ["call", "spread"]);
  assert.deepEqual(model.legs.get("spread").map((leg) => leg.mark), [3, 1]);
  assert.equal(model.groups.get("AAPL").kind, "group");
  assert.equal(model.columnById.get("mark").isFigure, true);
});

test("changes replace the fields of their rows only", () => {
  const model = new Model();
  model.take(everything());
  assert.equal(model.take(changes(2, 1, [[0, 1.75], [3, 0.5]])), true);
  assert.equal(model.positions.get("call").mark, 1.75);
  assert.equal(model.positions.get("call").name, "250 call");
  assert.deepEqual(model.legs.get("spread").map((leg) => leg.mark), [3, 0.5]);
  assert.equal(model.version, 2);
});

test("changes since an older version contain all that was missed", () => {
  const model = new Model();
  model.take(everything());
  model.take(changes(2, 1, [[0, 1.75]]));
  assert.equal(model.take(changes(4, 1, [[0, 1.8], [1, 2.5]])), true);
  assert.deepEqual([model.positions.get("call").mark, model.positions.get("spread").mark], [1.8, 2.5]);
});

test("changes to rows that never came are refused", () => {
  assert.equal(new Model().take(changes(2, 1, [[0, 1.75]])), false);
  const model = new Model();
  model.take(everything());
  assert.equal(model.take(changes(5, 3, [[0, 1.75]])), false);
  assert.equal(model.positions.get("call").mark, 1.5);
});

test("an old message that is shown again changes nothing", () => {
  const model = new Model();
  model.take(everything());
  model.take(changes(2, 1, [[0, 1.75]]));
  model.take(changes(3, 1, [[0, 1.8]]));
  assert.equal(model.take(changes(2, 1, [[0, 1.75]])), true);
  assert.deepEqual([model.positions.get("call").mark, model.version], [1.8, 3]);
});

test("a message with everything replaces the rows", () => {
  const model = new Model();
  model.take(everything());
  const other = everything(7);
  other.rows.rows = [[0, "put", "position", "AAPL", null, "240 put", 4]];
  model.take(other);
  assert.deepEqual([[...model.positions.keys()], model.legs.size, model.version], [["put"], 0, 7]);
});

test("a group says how many of its quotes are stale, by legs, and whether none is current", () => {
  const states = Object.fromEntries(["live", "stale", "no_data", "from_yesterday"].map((id) => [id, { sign: "", word: id, aged: false }]));
  const model = new Model();
  model.take(everything());
  const rows = model.quoted.get("AAPL");
  assert.deepEqual(rows.map((row) => row.id), ["call", "spread/0", "spread/1"]);
  const described = (...given) => describeStale(rows.map((row, at) => ({ ...row, state: given[at] })), 0, { ...LAYOUT, states });
  assert.deepEqual(described("live", "live", "no_data"), ["", false]);
  assert.deepEqual(described("live", "stale", "from_yesterday"), ["2 stale", false]);
  assert.deepEqual(described("no_data", "stale", "stale"), ["2 stale", true]);
  assert.deepEqual(described("stale", "stale", "from_yesterday"), ["all stale", true]);
});
