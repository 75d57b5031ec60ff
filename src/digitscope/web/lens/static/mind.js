// What would change the network's mind: the least ink to add or to erase, as a ghost over the pad and with a button that
// draws it. change.js finds it.
//
//   new Digitscope.Mind(app, background) -> {element, draw(digit)}   digit: what the answer is to become

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, percent } = Digitscope;
  const WAYS = [false, true]; // to add ink, to erase it

  class Mind {
    constructor(app, background) {
      Object.assign(this, { app, background, found: null });
      this.title = make("h3");
      this.find = make("button", { type: "button", className: "main", onclick: () => this.search() });
      this.working = make("p", { className: "note", role: "status" });
      this.results = make("div", { className: "changes" });
      this.element = make("section", { className: "why-part mind", "aria-label": words("mind.label") }, this.title,
        make("p", { className: "note", textContent: words("mind.lead") }), make("div", { className: "row" }, this.find, this.working), this.results);
    }

    // Whether what was found is about what is on the pad now, and by the weights on the screen.
    get fresh() {
      const { app, digit, found } = this;
      return Boolean(found && found.drawing === app.drawing && found.worn === app.worn && found.prepare === app.state.prepare && found.digit === digit);
    }

    async search() {
      const { app, digit, background } = this;
      const { drawing, state: { prepare } } = app;
      const base = drawing.strokes ? { strokes: drawing.strokes, prepare } : { field: app.field };
      const found = { drawing, worn: app.worn, prepare, digit, ways: [null, null], searching: true };
      this.found = found;
      this.draw(digit);
      for (const [i, erase] of WAYS.entries()) {
        const told = (steps) => { if (this.fresh) this.working.textContent = words(erase ? "mind.erasing" : "mind.adding", { n: steps }); };
        const change = await background.ask("change", { base, digit, erase }, told);
        if (this.found !== found) return;
        found.ways[i] = change;
      }
      found.searching = false;
      this.draw(this.digit);
      const least = this.least();
      if (!this.fresh) return;
      if (least >= 0) this.haunt(least);
      app.say(this.results.textContent);
    }

    // Which way changes less ink; -1: neither was found.
    least() {
      const inks = this.found.ways.map((change) => change?.ink ?? Infinity);
      return Math.min(...inks) === Infinity ? -1 : inks.indexOf(Math.min(...inks));
    }

    // Shows a stroke as a ghost over the pad, as long as the pad holds the drawing that it is for.
    haunt(way) {
      this.app.pad.ghost = { stroke: this.found.ways[way].stroke, drawing: this.found.drawing };
      this.app.pad.draw();
      this.results.querySelectorAll("[aria-pressed]").forEach((button) => button.setAttribute("aria-pressed", Number(button.dataset.way) === way));
    }

    attempt(way) {
      const { app, found } = this;
      app.keep(found.ways[way].drawing);
      app.toast(words("mind.tried"));
    }

    draw(digit) {
      const { app } = this;
      if (this.found?.searching && digit !== this.digit) this.stop();
      this.digit = digit;
      if (this.found?.searching && !this.fresh) this.stop();
      this.title.textContent = words("mind.title", { digit });
      this.find.textContent = words("mind.find", { digit });
      this.find.disabled = Boolean(app.outcome.blank || this.found?.searching || this.fresh);
      if (!this.found?.searching) this.working.textContent = "";
      const shown = this.fresh && !this.found.searching ? this.found : null;
      if (this.shown === shown) return;
      this.shown = shown;
      this.results.replaceChildren(...(shown ? WAYS.map((erase, way) => this.card(shown, erase, way)) : []));
    }

    stop() {
      this.background.drop("change");
      this.found = null;
    }

    card(found, erase, way) {
      const change = found.ways[way];
      const name = make("h4", { textContent: words(erase ? "mind.erase" : "mind.add") });
      if (!change) return make("div", { className: "change" }, name, make("p", { className: "note", textContent: words("mind.none", { digit: found.digit }) }));
      const canvas = make("canvas", { width: 140, height: 140, "aria-hidden": "true" });
      Digitscope.paintDrawing(canvas, found.drawing, this.app.field, change.stroke);
      const what = words(erase ? "mind.erase.what" : "mind.add.what", { share: percent(change.ink), digit: found.digit, probability: percent(change.probability) });
      return make("div", { className: "change" }, name,
        make("button", { type: "button", className: "ghost", "data-way": way, "aria-pressed": "false", title: words("mind.show"), "aria-label": words("mind.show"), onclick: () => this.haunt(way) }, canvas),
        make("div", {}, make("p", { textContent: what }), make("button", { type: "button", className: "plain", textContent: words("mind.try"), onclick: () => this.attempt(way) })));
    }
  }

  Digitscope.Mind = Mind;
})();
