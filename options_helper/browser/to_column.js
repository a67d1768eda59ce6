// The columns, made from the headings that the server sends.

/** @typedef {import("./payload.d.ts").Column} Heading */
/** @typedef {import("./payload.d.ts").Row} Row */
/** @typedef {import("./payload.d.ts").Value} Value */
/** @typedef {Heading & {em: number, isFigure: boolean, firstDirection: 1 | -1, sortKey(row: Row): Value | undefined}} Column */

// Widths in em for the usual figures of each format, and for the columns that need another width. Longer figures
// widen a column.
/** @type {Record<string, number>} */
const WIDTH_BY_FORMAT = {
  price: 4.1, pnl: 4.9, percent: 4.1, signed_percent: 4.1, quantity: 2.9, decimal: 4.1, state: 6.7, name: 0,
};
// A mark has room for the sign of a move before it.
/** @type {Record<string, number>} */
const OWN_WIDTHS = { dte: 2.9, mark: 5.1 };

/** @type {Record<string, (row: Row) => Value | undefined>} */
const SORT_KEYS = { name: (row) => row.name.toLowerCase(), state: (row) => row.time };

/** @param {Heading} heading @returns {Column} */
export function toColumn(heading) {
  const { id, format } = heading;
  const isFigure = !(format in SORT_KEYS);
  return {
    ...heading,
    isFigure,
    em: OWN_WIDTHS[id] ?? WIDTH_BY_FORMAT[format],
    // The first click puts the largest figures on top, but the first names, the fewest days and the oldest quotes.
    firstDirection: isFigure && id !== "dte" ? -1 : 1,
    sortKey: SORT_KEYS[format] ?? ((row) => row[id]),
  };
}
