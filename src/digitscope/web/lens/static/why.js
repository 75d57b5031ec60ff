// The panel "Why this digit?": the score of the answer against another digit, the pixels and units that make it, and what
// would change it. It shows what attribution.js and change.js find beside the page.
//
// app.state.against: the digit to compare with, null for the one that comes second.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, fixed, count } = Digitscope;

  class Why {
    constructor(app) {
      Object.assign(this, { app, found: null, integrated: null, whole: false });
      const { background } = app;
      this.lead = make("p", { className: "lead" });
      this.digits = make("div", { className: "digits against", role: "group", "aria-label": words("why.against") },
        ...Array.from({ length: 10 }, (_, digit) => make("button", { type: "button", textContent: digit, onclick: () => app.set({ against: digit }) })));
      this.pixels = new Digitscope.PixelEvidence(app, (whole) => { this.whole = whole; this.draw(); });
      this.units = new Digitscope.UnitEvidence(app);
      this.mind = new Digitscope.Mind(app, background);
      this.element = make("div", { className: "view why" }, make("div", { className: "row" }, make("span", { className: "note", textContent: words("why.against") }), this.digits),
        this.lead, make("div", { className: "why-parts" }, this.pixels.element, make("div", { className: "why-side" }, this.units.element, this.mind.element)));
    }

    get pair() {
      const { outcome: { answer, runnerUp }, state: { against } } = this.app;
      return [answer, against === null || against === answer ? runnerUp : against];
    }

    heading() {
      const [digit, other] = this.pair;
      return words(this.app.outcome.blank ? "why.blank" : "why.heading", { digit, other });
    }

    fit(width) { this.pixels.fit(width); }

    // Asks for what is not known yet about this answer, and shows what is.
    draw() {
      const { app, pair } = this;
      const key = `${pair}`;
      [...this.digits.children].forEach((button, digit) => {
        button.disabled = digit === pair[0];
        button.setAttribute("aria-pressed", digit === pair[1]);
      });
      this.element.classList.toggle("blank", app.outcome.blank);
      if (this.of !== app.run || this.key !== key) {
        Object.assign(this, { of: app.run, key, integrated: null, asking: false });
        app.background.drop("integrated");
        this.reason();
      } else this.tell();
      if (this.whole && !this.integrated && !this.asking) {
        this.asking = true;
        this.integrate();
      }
      this.mind.draw(pair[1]);
    }

    // The evidence never delays an answer: it is asked for when the answer has been painted, and drawn at the beginning of a frame,
    // when what the pen did has gone to the worker. While one is worked on the newest waits; those between are left out.
    async reason() {
      if (this.reasoning) return;
      this.reasoning = true;
      let of = null, key = null;
      while (of !== this.of || key !== this.key) {
        await Digitscope.painted();
        ({ of, key } = this);
        const found = await this.app.background.ask("evidence", { run: { layers: of.layers }, pair: this.pair });
        await Digitscope.frame();
        if (!found) continue;
        this.found = { ...found, of, key };
        this.tell();
      }
      this.reasoning = false;
    }

    async integrate() {
      const { of, key, pair } = this;
      const found = await this.app.background.ask("integrated", { field: of.layers[0].values, pair });
      if (!found || of !== this.of || key !== this.key) return;
      this.integrated = found;
      this.tell();
    }

    // Shows what is known, unless another pair of digits is wanted by now.
    tell() {
      const { app, found, key, pair: [digit, other] } = this;
      if (app.panel !== this || found?.key !== key) return;
      const { sums } = found.of.layers.at(-1);
      const times = Math.exp(Math.min(found.score, 30));
      this.lead.textContent = words("why.lead", {
        digit, other, sum: fixed(sums[digit], 2), less: fixed(sums[other], 2), score: fixed(found.score, 2), times: times < 100 ? fixed(times, 1) : count(Number(times.toPrecision(2))),
      });
      this.pixels.draw(this.pair, found, this.integrated, this.whole);
      this.units.draw(this.pair, found);
    }
  }

  Digitscope.Why = Why;
})();
