// The number of raised alerts in the title of a hidden tab.

const COUNT = /^\(\d+\) /;

export class PageTitle {
  raised = 0;

  constructor() {
    // A full run of the page resets the title. Only a title without a count causes an update, or this would never end.
    this.titles = new MutationObserver(() => COUNT.test(document.title) || this.update());
    const title = document.head.querySelector("title");
    if (title) this.titles.observe(title, { childList: true });
  }

  update() {
    const bare = document.title.replace(COUNT, "");
    const title = document.hidden && this.raised > 0 ? `(${this.raised}) ${bare}` : bare;
    if (document.title !== title) document.title = title;
  }

  stop() {
    this.titles.disconnect();
    this.raised = 0;
    this.update();
  }
}
