// Announces raised alerts by a sound and by a browser notification. Both are off until the reader switches them on.

import { element, setText } from "./dom.js";

/** The newest raised alerts of one portfolio, each as a growing number and words. @typedef {{of: string, raised: [number, string][]}} Raised */

const STORED = "options-helper.alert-calls";
const BEEP_HERTZ = 880;
const BEEP_SECONDS = 0.25;
/** The newest alert known, by portfolio. Alerts raised before the page opened are not announced. @type {Map<string, number>} */
const known = new Map();
/** @type {AudioContext | undefined} */
let audio;
/** Whether the checkboxes wait for their place. */
let waiting = false;

/** Announce each new alert, and build the checkboxes in their place on the page. @param {Raised} newest */
export function callFor({ of, raised }) {
  buildOnceTheirPlaceIsThere();
  const newest = Math.max(0, ...raised.map(([number]) => number));
  const before = known.get(of) ?? newest;
  known.set(of, Math.max(before, newest));
  const words = raised.filter(([number]) => number > before).map(([, text]) => text);
  if (words.length === 0) return;
  const { sound, notification } = chosen();
  if (sound) beep();
  if (notification && isGranted()) new Notification("Options Helper", { body: words.join("\n"), tag: `${of} ${newest}` });
}

/** Build the checkboxes now, or as soon as the page has drawn the panel that they belong to. */
function buildOnceTheirPlaceIsThere() {
  const place = /** @type {HTMLCollectionOf<HTMLElement>} */ (document.getElementsByClassName("alert-calls"));
  const isBuilt = () => {
    if (place[0] && !place[0].firstChild) build(place[0]);
    return place.length > 0;
  };
  if (isBuilt() || waiting) return;
  waiting = true;
  new MutationObserver((_, seen) => {
    if (!isBuilt()) return;
    seen.disconnect();
    waiting = false;
  }).observe(document.body, { childList: true, subtree: true });
}

/** @param {HTMLElement} root */
function build(root) {
  addChoice(root, "sound", "Sound", async () => {
    beep();
    return "";
  });
  addChoice(root, "notification", "Notification", async () => {
    if (!("Notification" in window) || !window.isSecureContext) return "Browsers show notifications only over https or on localhost.";
    return (await Notification.requestPermission()) === "granted" ? "" : "The browser does not allow notifications.";
  });
}

/**
 * Add a checkbox. It asks for permission only when the reader checks it, because browsers require a user action.
 * @param {HTMLElement} root @param {"sound" | "notification"} name @param {string} words
 * @param {() => Promise<string>} ask Returns why the choice cannot work, or "".
 */
function addChoice(root, name, words, ask) {
  const label = element("label", "", root);
  const box = element("input", "", label);
  box.type = "checkbox";
  box.checked = chosen()[name] && (name === "sound" || isGranted());
  label.append(` ${words} `);
  const problem = element("small", "", label);
  box.addEventListener("change", async () => {
    const reason = box.checked ? await ask() : "";
    setText(problem, reason);
    if (reason) box.checked = false;
    keep({ ...chosen(), [name]: box.checked });
  });
}

const isGranted = () => "Notification" in window && Notification.permission === "granted";

function beep() {
  audio ??= new AudioContext();
  audio.resume();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = BEEP_HERTZ;
  volume.gain.value = 0.2;
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + BEEP_SECONDS);
}

/** @returns {{sound: boolean, notification: boolean}} */
function chosen() {
  try {
    const kept = JSON.parse(localStorage.getItem(STORED) ?? "{}") ?? {};
    return { sound: kept.sound === true, notification: kept.notification === true };
  } catch {
    return { sound: false, notification: false };
  }
}

/** @param {{sound: boolean, notification: boolean}} choices */
function keep(choices) {
  try {
    localStorage.setItem(STORED, JSON.stringify(choices));
  } catch {
    // Storage is full or forbidden: the choice lasts until the page is left.
  }
}
