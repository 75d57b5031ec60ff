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
        this.ask("evidence", (found) => { this.found = found; });
      }
      if (this.whole && !this.integrated && !this.asking) {
        this.asking = true;
        this.ask("integrated", (found) => { this.integrated = found; });
      }
      this.mind.draw(pair[1]);
      if (this.found?.key === key) this.tell();
    }

    async ask(question, take) {
      const { app, pair, of } = this;
      const found = await app.background.ask(question, { field: of.layers[0].values, pair });
      if (!found || of !== this.of) return;
      take({ ...found, key: `${pair}` });
      if (app.panel === this) this.tell();
    }

    tell() {
      const { found, pair: [digit, other] } = this;
      if (found.key !== `${digit},${other}`) return;
      const { sums } = this.app.run.layers[this.app.run.layers.length - 1];
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
