// The data that the server sends, and the rows made from it. Read by the type checker only.

export type Value = number | string | string[] | boolean | null;

/** A heading. `format` names the writer in formats.js; `below` names what a cell's second line shows. */
export interface Column {
  id: string;
  label: string;
  help: string;
  format: "price" | "pnl" | "percent" | "signed_percent" | "quantity" | "decimal" | "name" | "state";
  decimals: number;
  optional: boolean;
  toned: boolean;
  below: "time_left" | "iv_note" | "moves" | "spread_note" | "coverage" | null;
}

/** A quote state as the reader sees it. */
export interface State {
  sign: string;
  word: string;
  aged: boolean;
}

/** Values of some fields of some rows: the first value of each array is the row's number. */
export interface Changes {
  fields: string[];
  rows: Value[][];
}

/** What stays the same from refresh to refresh. */
export interface Layout {
  columns: Column[];
  states: Record<string, State>;
  stale_after: number;
}

/** One refresh. With a `layout` it brings every row, otherwise what has changed after version `since`. */
export interface Payload {
  storage: string;
  version: number;
  since: number | null;
  layout: Layout | null;
  groups: Changes;
  rows: Changes;
  warnings: Record<string, [string, string]>;
  raised: number;
  grouping: string;
  reveal: { id: string; number: number } | null;
  sent_at: number;
}

/** A row of the table: an underlying ("group"), a position, a structure or a leg. Figures are fields by column. */
export interface Row {
  [field: string]: Value | undefined;
  id: string;
  key: string;
  kind: "group" | "position" | "structure" | "leg";
  name: string;
  state: string;
  time: number | null;
}

/** The arguments that Streamlit passes to a component. */
export interface Mounted<Data> {
  data: Data;
  parentElement: HTMLElement;
  setStateValue(name: string, value: unknown): void;
  setTriggerValue(name: string, value: unknown): void;
}
