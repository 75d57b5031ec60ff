// Test images to start from: by number, a random one of a digit, and those this model finds hardest.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words } = Digitscope;

  class Samples {
    constructor(app) {
      Object.assign(this, { app, hard: -1, last: 0 });
      while (app.samples.has(this.last + 1)) this.last++;
      const { last } = this;
      this.number = make("input", {
        type: "number", min: 0, max: Math.max(...app.samples.keys()), inputMode: "numeric", "aria-label": words("samples.number", { last }),
        onchange: () => this.take(this.number.value),
      });
      const digits = Array.from({ length: 10 }, (_, digit) => make("button", {
        type: "button", textContent: digit, "aria-label": words("samples.random", { digit }), title: words("samples.random", { digit }),
        onclick: () => this.random(digit),
      }));
      this.note = make("p", { className: "note" });
      this.element = make("div", { className: "samples" },
        make("p", { className: "note", textContent: words("samples.digits") }), make("div", { className: "digits", role: "group", "aria-label": words("samples.digits") }, ...digits),
        make("div", { className: "row" }, make("label", {}, words("samples.image"), this.number), this.note,
          make("button", {
            type: "button", className: "plain", textContent: words("samples.hardest"),
            title: words("samples.hardest.what", { n: app.model.hardest.length }), onclick: () => this.hardest(),
          })), make("p", { className: "note", textContent: words("samples.range", { last, n: app.model.hardest.length }) }));
    }

    random(digit) {
      const all = [...this.app.samples.values()].filter(({ label, index }) => label === digit && index !== this.app.drawing.sample);
      if (all.length) this.app.keep({ sample: all[Math.floor(Math.random() * all.length)].index });
    }

    hardest() {
      const { hardest } = this.app.model;
      this.hard = (this.hard + 1) % hardest.length;
      this.app.keep({ sample: hardest[this.hard] });
    }

    // The page holds the first of all test images, and the hardest: of other numbers the nearest is taken.
    take(text) {
      if (text === "") return this.draw();
      const index = Number(text), { samples } = this.app;
      const near = [...samples.keys()].reduce((best, one) => (Math.abs(one - index) < Math.abs(best - index) ? one : best));
      this.app.keep({ sample: near });
      if (near !== index) this.app.toast(words("samples.near", { index: near, last: this.last }));
    }

    draw() {
      const { sample } = this.app.drawing;
      const shown = this.app.samples.get(sample);
      this.number.value = shown ? sample : "";
      this.note.textContent = shown ? words("samples.label", { label: shown.label }) : "";
    }
  }

  Digitscope.Samples = Samples;
})();
