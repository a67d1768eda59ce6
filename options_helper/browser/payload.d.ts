// The data that the server sends, and the rows made from it. Read by the type checker only.

export type Value = number | string | string[] | boolean | null;

/** A heading. `format` names the writer in formats.js; `below` names the content of a cell's second line. */
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

/** The parts that stay the same from refresh to refresh. */
export interface Layout {
  columns: Column[];
  states: Record<string, State>;
  stale_after: number;
}

/** One refresh: every row if it has a `layout`, otherwise what has changed since version `since`. */
export interface Payload {
  storage: string;
  version: number;
  since: number | null;
  layout: Layout | null;
  groups: Changes;
  rows: Changes;
  warnings: Record<string, [string, string]>;
  raised: number;
  stopped: boolean;
  grouping: string;
  columns: string[];
  reveal: { id: string; group: string | null; number: number } | null;
  sent_at: number;
}

/** A row of the table: an underlying ("group"), a position, a structure or a leg. A figure's field has the name of its column. */
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
