// Work on many items in portions between frames. What is left over from the last request comes first, so that work
// requested every second reaches every item even on a slow machine.

const PORTION = 120;
const FRAME_MILLISECONDS = 16;

/** @template Item */
export class Portions {
  /** @param {(item: Item) => void} work */
  constructor(work) {
    this.work = work;
    /** @type {Item[]} */
    this.waiting = [];
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /** @param {Item[]} items */
  begin(items) {
    const wanted = new Set(items);
    const late = this.waiting.filter((item) => wanted.has(item));
    this.waiting = [...new Set([...late, ...items])];
    if (this.timer === undefined) this.#soon();
  }

  #soon() {
    if (this.waiting.length === 0) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.waiting.splice(0, PORTION).forEach((item) => this.work(item));
      this.#soon();
    }, FRAME_MILLISECONDS);
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.waiting = [];
  }
}
