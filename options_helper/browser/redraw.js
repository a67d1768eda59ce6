// Requests a full run when a beat is late. If no beat follows, the page shows when the server last answered.

import { callFor } from "./alert_calls.js";
import { setServerTime } from "./clock.js";

/**
 * @typedef {{patience: number, now: number, pace: number, spoken: string,
 *   raised: import("./alert_calls.js").Raised | null}} Beat
 * @typedef {import("./payload.d.ts").Mounted<Beat>} Mounted
 */

// Browsers limit the timers of hidden tabs to one run a minute.
const HIDDEN_PATIENCE_MILLISECONDS = 180_000;

/** The last beat, and a function that ends the wait for the next one. @type {WeakMap<HTMLElement, {now: number, pace: number, stop(): void}>} */
const beats = new WeakMap();

/** @param {Mounted} mount */
export default function beat({ data: { patience, now, pace, spoken, raised }, parentElement, setTriggerValue }) {
  const before = beats.get(parentElement);
  // Streamlit shows the same beat again when the theme changes.
  if (before?.now !== now || before.pace !== pace) setServerTime(now, pace);
  before?.stop();
  heard();
  speak(spoken);
  if (raised) callFor(raised);
  let requests = 0;
  const stop = waitForBeat(patience, () => {
    if (requests++) silentSince(now);
    setTriggerValue("late", Date.now());
  });
  beats.set(parentElement, { now, pace, stop });
  return stop;
}

/** Call `report` each time `patience` milliseconds pass; return a function that ends the wait. @param {number} patience @param {() => void} report */
function waitForBeat(patience, report) {
  const listening = new AbortController();
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  const wait = () => {
    clearInterval(timer);
    timer = setInterval(report, Math.max(patience, document.hidden ? HIDDEN_PATIENCE_MILLISECONDS : 0));
  };
  wait();
  document.addEventListener("visibilitychange", wait, { signal: listening.signal });
  return () => {
    clearInterval(timer);
    listening.abort();
  };
}

/** Show in place of the status line, which page.css hides, when the server last answered. @param {number} at */
function silentSince(at) {
  const time = new Date(at).toTimeString().slice(0, 8);
  const words = `No answer from the portal since ${time}. Everything on this page dates from that time.`;
  const root = document.documentElement;
  root.dataset.ohSilent = time;
  root.style.setProperty("--oh-silent", JSON.stringify(words));
  speak(words);
}

/**
 * Let a screen reader speak these words, unless it just has. It announces only a region that outlives every redraw. The
 * status line loses its role, because its ages and its time change at each beat and would be spoken all day.
 * @param {string} words
 */
function speak(words) {
  for (const line of document.querySelectorAll(".st-key-live-status [role]")) line.removeAttribute("role");
  let region = document.getElementById("oh-spoken");
  if (!region) {
    region = document.createElement("p");
    Object.assign(region, { id: "oh-spoken", className: "oh-hidden", role: "status" });
    document.body.append(region);
  }
  if (region.textContent !== words) region.textContent = words;
}

function heard() {
  delete document.documentElement.dataset.ohSilent;
}
