import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { formatAge, formatFigure, formatTimeLeft } from "../../options_helper/browser/formats.js";

const figures = JSON.parse(readFileSync(new URL("figures.json", import.meta.url), "utf-8"));

for (const { format, decimals, shown, text } of figures) {
  test(`${format} ${shown} is written ${text}, as on the rest of the page`, () => {
    assert.equal(formatFigure(shown, { format, decimals }), text);
  });
}

test("an unknown figure is a dash", () => {
  assert.equal(formatFigure(null, { format: "price", decimals: 2 }), "\u2014");
  assert.equal(formatFigure(NaN, { format: "pnl", decimals: 2 }), "\u2014");
});

test("a figure that a row does not have is empty", () => {
  assert.equal(formatFigure("", { format: "price", decimals: 2 }), "");
  assert.equal(formatFigure(undefined, { format: "price", decimals: 2 }), "");
});

test("ages have one unit and never round up", () => {
  const written = [-1, 0, 59.9, 60, 3599, 3600, 86_399, 86_400].map(formatAge);
  assert.deepEqual(written, ["0 s", "0 s", "59 s", "1 m", "59 m", "1 h", "23 h", "1 d"]);
});

test("the time left counts the minute that has begun", () => {
  const written = [-5, 0, 1, 60, 61, 3600, 8040].map(formatTimeLeft);
  assert.deepEqual(written, ["0 m", "0 m", "1 m", "1 m", "2 m", "1 h 0 m", "2 h 14 m"]);
});
