// Test images to start from: by number, a random one of a digit, and those this model finds hardest.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words } = Digitscope;

  class Samples {
    constructor(app) {
      Object.assign(this, { app, hard: -1 });
      this.number = make("input", {
        type: "number", min: 0, max: 9999, inputMode: "numeric", "aria-label": words("samples.number"),
        onchange: () => this.take(Number(this.number.value)),
      });
      const digits = Array.from({ length: 10 }, (_, digit) => make("button", {
        type: "button", textContent: digit, "aria-label": words("samples.random", { digit }), title: words("samples.random", { digit }),
        onclick: () => this.random(digit),
      }));
      this.note = make("p", { className: "note" });
      this.element = make("div", { className: "samples" },
        make("div", { className: "digits", role: "group", "aria-label": words("samples.digits") }, ...digits),
        make("div", { className: "row" }, make("label", {}, words("samples.image"), this.number), this.note,
          make("button", { type: "button", className: "plain", textContent: words("samples.hardest"), onclick: () => this.hardest() })));
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

    // Only some of the 10,000 images are in the page: the nearest one is taken.
    take(index) {
      const known = [...this.app.samples.keys()];
      const near = known.reduce((best, one) => (Math.abs(one - index) < Math.abs(best - index) ? one : best), known[0]);
      this.app.keep({ sample: near });
      if (near !== index) this.app.toast(words("samples.near", { index: near, count: known.length }));
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
