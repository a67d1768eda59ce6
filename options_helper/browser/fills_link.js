// The end of a row's note, such as "3 fills today ›", opens the list of these fills in the position's detail.

const MORE = "\u203a";
const TAB = "Fills today";
const WAIT_MILLISECONDS = 20_000;
const SETTLE_MILLISECONDS = 3000;
const READERS_OWN = ["wheel", "touchstart", "pointerdown", "keydown"];

/** Ends what the newest click began. */
let current = new AbortController();

/** Return whether a note continues in the detail. @param {string} note */
export const leadsToFills = (note) => note.endsWith(MORE);

/**
 * Choose the tab with a position's fills and bring it into sight, once the page shows that position's detail.
 * @param {string} id
 */
export function showFills(id) {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  const look = () => !signal.aborted && openFills(id) && watch.disconnect();
  const watch = new MutationObserver(look);
  signal.addEventListener("abort", () => watch.disconnect());
  AbortSignal.timeout(WAIT_MILLISECONDS).addEventListener("abort", () => watch.disconnect());
  watch.observe(document.body, { childList: true, subtree: true });
  look();
}

/** Choose the tab, or return true once its list is shown. @param {string} id */
function openFills(id) {
  const detail = /** @type {HTMLElement | null} */ (document.querySelector(".st-key-live-detail"));
  const head = /** @type {HTMLElement | null | undefined} */ (detail?.querySelector("[data-detail-of]"));
  const tabs = /** @type {HTMLElement[]} */ ([...(detail?.querySelectorAll("[role=tab]") ?? [])]);
  const tab = tabs.find((each) => each.textContent?.startsWith(TAB));
  if (!detail || !tab || head?.dataset.detailOf !== id) return false;
  if (tab.ariaSelected !== "true") tab.click(); // only the chosen tab's list is in the document
  const list = /** @type {HTMLElement | null} */ (detail.querySelector("[data-fills-of]"));
  if (list?.dataset.fillsOf !== id) return false;
  tab.focus({ preventScroll: true });
  keepInSight(detail);
  return true;
}

/** Scroll to the list, and again while the charts above it take their room, unless the reader scrolls. @param {HTMLElement} detail */
function keepInSight(detail) {
  const { signal } = current;
  const scroll = () => {
    for (const each of detail.querySelectorAll("[data-fills-of], [aria-selected=true]")) each.scrollIntoView({ block: "nearest" });
  };
  const sizes = new ResizeObserver(scroll);
  const end = () => sizes.disconnect();
  for (const own of READERS_OWN) document.addEventListener(own, end, { signal, once: true, passive: true });
  for (const ending of [signal, AbortSignal.timeout(SETTLE_MILLISECONDS)]) ending.addEventListener("abort", end);
  sizes.observe(detail);
  scroll();
}
