// Work on many rows in portions between frames; new work replaces what is left of the old.

const PORTION = 120;

class Portions {
  begin(items, work) {
    this.stop();
    this.items = items;
    this.work = work;
    this.#next();
  }

  #next() {
    if (this.items.length === 0) return;
    this.timer = setTimeout(() => {
      this.items.splice(0, PORTION).forEach(this.work);
      this.#next();
    }, 16);
  }

  stop() {
    clearTimeout(this.timer);
  }
}
