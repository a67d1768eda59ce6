// The columns: what each shows, how it is written, how it sorts. Data comes as arrays; `toRow` names its fields.

const MISSING = "\u2014";
const MINUS = "\u2212";
const MOVE_MILLISECONDS = 5000;
// A live row whose age the server no longer corrects has lost the server; then the browser itself calls it stale.
const STALE_GRACE_SECONDS = 10;

const STATES = {
  live: ["\u25cf", "live", true],
  quiet: ["\u25d0", "quiet", true],
  stale: ["\u25b2", "stale", true],
  closed: ["\u263e", "closed", false],
  expired: ["\u2715", "expired", false],
  no_data: ["\u25cb", "no data", false],
  not_subscribed: ["\u2298", "not subscribed", false],
  halted: ["\u2298", "halted", false],
};

// The server's time now: what it was when the newest payload was sent, and what this page has counted since then.
// The browser's own clock may be wrong. The anchor outlives the widget: a payload that was sent once may be shown twice.
const anchor = (globalThis.optionsHelperServerTime ??= { sentAt: 0, shownAt: 0 });
const serverNow = () => anchor.sentAt + performance.now() - anchor.shownAt;

function setServerTime(sentAt) {
  if (sentAt !== anchor.sentAt) Object.assign(anchor, { sentAt, shownAt: performance.now() });
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const grouped = (value, decimals) =>
  value.toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
const signOf = (value) => (value > 0 ? "+" : value < 0 ? MINUS : "");

function formatPrice(value) {
  if (!isNumber(value)) return MISSING;
  const decimals = value !== 0 && Math.abs(value) < 0.01 ? 4 : 2;
  const text = grouped(Math.abs(value), decimals);
  return `${value < 0 && Number(text.replaceAll(",", "")) !== 0 ? MINUS : ""}$${text}`;
}

function formatPnl(value) {
  if (!isNumber(value)) return MISSING;
  const whole = Math.round(Math.abs(value));
  return `${whole === 0 ? "" : signOf(value)}$${grouped(whole, 0)}`;
}

function formatPercent(value, signed) {
  if (!isNumber(value)) return MISSING;
  const text = grouped(Math.abs(value) * 100, 1);
  const sign = Number(text.replaceAll(",", "")) === 0 ? "" : signOf(value);
  return `${signed || sign === MINUS ? sign : ""}${text}%`;
}

function formatQuantity(value) {
  return isNumber(value) ? `${signOf(value)}${Math.abs(value).toLocaleString("en-US")}` : MISSING;
}

function formatDecimal(value, decimals) {
  return isNumber(value) ? `${value < 0 ? MINUS : ""}${grouped(Math.abs(value), decimals)}` : MISSING;
}

function formatAge(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h`;
  return `${Math.floor(whole / 86400)} d`;
}

function formatLeft(seconds) {
  const minutes = Math.max(0, Math.ceil(seconds / 60));
  return minutes < 60 ? `${minutes} m` : `${Math.floor(minutes / 60)} h ${minutes % 60} m`;
}

const ageOf = (row, now) => (isNumber(row.time) ? (now - row.time) / 1000 : null);

function stateOf(row, now, staleAfter) {
  const age = ageOf(row, now);
  if (row.state === "live" && age !== null && age > staleAfter + STALE_GRACE_SECONDS) return "stale";
  return row.state in STATES ? row.state : "no_data";
}

// The sign and the words of the Quote column: a state, and its age where the age says something.
function quoteWords(row, now, staleAfter) {
  const [sign, word, aged] = STATES[stateOf(row, now, staleAfter)];
  const age = ageOf(row, now);
  return [sign, aged && age !== null ? `${word} ${formatAge(age)}` : word];
}

const column = (id, em, label, help, text, more = {}) => ({
  id, em, label, help, text: (row) => text(row[id]), sort: (row) => row[id], ...more,
});
const toned = (id) => ({ tone: (row) => Math.sign(row[id] ?? 0) });
const optional = { optional: true };
// Columns with a small second line: sums that lack something, the time left, the age of the vendor's greeks.
const GREEKS = ["delta", "theta", "iv"];
const WITH_EXTRA = new Set(["dte", "pnl_day", ...GREEKS]);

const COLUMNS = [
  { id: "position", label: "Position", help: "The structure, option or shares; legs below on opening",
    sort: (row) => row.name.toLowerCase() },
  column("qty", 2.9, "Qty", "Contracts, shares, or units of a structure; negative is short", formatQuantity),
  column("dte", 2.9, "DTE", "Days to expiry, counted in New York dates; on the last day, how long it trades", (value) => formatDecimal(value, 0)),
  column("cost", 4.1, "Cost", "What was paid per share or unit; negative is a credit", formatPrice, optional),
  column("bid", 4.1, "Bid", "The highest price a buyer offers", formatPrice),
  column("ask", 4.1, "Ask", "The lowest price a seller asks", formatPrice),
  column("mark", 4.9, "Mark", "The value used for P/L: the middle of bid and ask where they can be trusted", formatPrice),
  column("natural", 4.1, "Natural", "What closing pays now: the bid of what is long, the ask of what is short", formatPrice),
  column("pnl_open", 4.9, "P/L Open", "Profit or loss since opening, at the mark", formatPnl, toned("pnl_open")),
  column("pnl_pct", 4.1, "P/L %", "P/L Open as a share of the cost", (value) => formatPercent(value, true), toned("pnl_pct")),
  column("pnl_day", 4.7, "P/L Day", "Profit or loss since the previous close; lots closed today are not in the file", formatPnl, toned("pnl_day")),
  column("risk", 4.1, "P/L risk", "P/L Open as a share of the most that can be lost at expiry; none where that has no end", (value) => formatPercent(value, true), { ...toned("risk"), ...optional }),
  column("spread", 3.9, "Spread", "Ask minus bid, as a share of the middle", (value) => formatPercent(value, false)),
  column("delta", 4.1, "Delta", "Change of the price per dollar of the underlying, from the vendor; below, its age", (value) => formatDecimal(value, 2), optional),
  column("theta", 4.1, "Theta", "Change of the price per day, from the vendor; below, its age", (value) => formatDecimal(value, 3), optional),
  column("iv", 4.1, "IV", "Implied volatility, from the vendor; below, its age", (value) => formatPercent(value, false), optional),
  { id: "quote", em: 6.7, label: "Quote", help: "The state and the age of the oldest quote behind this row",
    sort: (row) => row.time },
];
const COLUMN_BY_ID = new Map(COLUMNS.map((column) => [column.id, column]));
const DEFAULT_COLUMNS = COLUMNS.filter((column) => !column.optional).map((column) => column.id);

const toRow = (fields, values) => Object.fromEntries(fields.map((field, number) => [field, values[number]]));
