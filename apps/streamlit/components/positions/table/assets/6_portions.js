// Work on many items in portions between frames. What still waits from the last time comes first, so that work
// which is requested again every second reaches every item even on a slow machine.

const PORTION = 120;

class Portions {
  constructor(work) {
    this.work = work;
    this.waiting = [];
  }

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
    }, 16);
  }

  stop() {
    clearTimeout(this.timer);
    this.waiting = [];
  }
}
