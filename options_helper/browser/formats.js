// Figures and ages in words. The server rounds the figures; here they only get separators, signs and units.

export const MISSING = "\u2014";
export const MINUS = "\u2212";
const CENT = 0.01;
const DAY_MILLISECONDS = 86_400_000;

/** @param {unknown} value @returns {value is number} */
export const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

/** @param {number} value @param {number} least @param {number} most */
function grouped(value, least, most = least) {
  return Math.abs(value).toLocaleString("en-US", { minimumFractionDigits: least, maximumFractionDigits: most });
}

/** @param {number} value */
const minusOf = (value) => (value < 0 ? MINUS : "");

/** @param {number} value */
const signOf = (value) => (value > 0 ? "+" : minusOf(value));

/** @type {Record<string, (value: number, decimals: number) => string>} */
const WRITERS = {
  // A price below a cent keeps every digit that the server sent.
  price(value) {
    const [least, most] = value !== 0 && Math.abs(value) < CENT ? [4, 20] : [2, 2];
    return `${minusOf(value)}$${grouped(value, least, most)}`;
  },
  pnl: (value) => `${signOf(value)}$${grouped(value, 0)}`,
  percent: (value, decimals) => `${minusOf(value)}${grouped(value, decimals)}%`,
  signed_percent: (value, decimals) => `${signOf(value)}${grouped(value, decimals)}%`,
  quantity: (value) => `${signOf(value)}${grouped(value, 0, 9)}`,
  decimal: (value, decimals) => `${minusOf(value)}${grouped(value, decimals)}`,
};

/**
 * Return a figure as its column writes it: `—` if it is unknown, nothing if the row has no such figure.
 * @param {unknown} value
 * @param {{format: string, decimals: number}} column
 */
export function formatFigure(value, { format, decimals }) {
  if (isNumber(value)) return WRITERS[format](value, decimals);
  return value === "" || value === undefined ? "" : MISSING;
}

/** Return an age in its largest unit: `59 s`, `3 m`. @param {number} seconds */
export function formatAge(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h`;
  return `${Math.floor(whole / 86400)} d`;
}

/**
 * Return a time in the reader's zone, with its day unless it is today: `13:46`, `Fri 13:46`, `24 Dec 13:46`.
 * @param {number} time @param {number} now
 */
export function formatMoment(time, now) {
  const at = new Date(time);
  const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(time).setHours(0, 0, 0, 0)) / DAY_MILLISECONDS);
  const [weekday, month, day] = at.toDateString().split(" "); // in English, whatever the browser's language
  const name = Math.abs(days) < 7 ? weekday : `${Number(day)} ${month}`;
  return `${days === 0 ? "" : `${name} `}${at.toTimeString().slice(0, 5)}`;
}

/** Return the time left, rounded up to a minute: `2 h 14 m`. @param {number} seconds */
export function formatTimeLeft(seconds) {
  const minutes = Math.max(0, Math.ceil(seconds / 60));
  return minutes < 60 ? `${minutes} m` : `${Math.floor(minutes / 60)} h ${minutes % 60} m`;
}

/** Return a whole number with its thousands, such as `1,200`. @param {number} number */
export const formatCount = (number) => grouped(number, 0);
