// Ten steps in plain words from the picture to the answer. Each opens the place that it talks about; it computes nothing.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, count, percent } = Digitscope;
  const STEPS = 10;

  class Tour {
    constructor(app) {
      this.app = app;
      this.title = make("h2", { tabIndex: -1 });
      this.text = make("div", { className: "tour-text" });
      this.back = make("button", { type: "button", className: "plain", textContent: words("tour.back"), onclick: () => this.go(app.state.tour - 1) });
      this.next = make("button", { type: "button", className: "main", textContent: words("tour.next"), onclick: () => (app.state.tour === STEPS - 1 ? this.close() : this.go(app.state.tour + 1)) });
      this.dots = make("ol", { className: "dots" }, ...Array.from({ length: STEPS }, (_, step) =>
        make("li", {}, make("button", { type: "button", "aria-label": words("tour.step", { step: step + 1 }), onclick: () => this.go(step) }))));
      this.element = make("section", { className: "tour", hidden: true, "aria-label": words("tour.label") },
        make("div", { className: "tour-head" }, this.title, this.dots), this.text,
        make("div", { className: "tour-buttons" }, this.back, this.next,
          make("button", { type: "button", className: "plain", textContent: words("tour.close"), onclick: () => this.close() })));
    }

    // Where each step takes one: [depth, layer, view]; layers by what they do, so that any network has a tour.
    places() {
      const { layers } = this.app.model;
      const nth = (kind, n) => layers.map((layer, i) => (layer.kind.startsWith(kind) ? i : -1)).filter((i) => i >= 0)[n];
      const conv = nth("conv2d", 0) ?? 0, second = nth("conv2d", 1) ?? conv;
      const pool = layers.findIndex(({ kind }) => kind.endsWith("pooling2d"));
      const dense = nth("dense", 0), last = layers.length - 1;
      return [
        [0], [1, 0, "value", true], [1, 0, "value", false], [1, conv, "sum"], [1, conv, "value"], [1, pool < 0 ? conv : pool, "value"],
        [1, second, "value"], [1, nth("flatten", 0) ?? dense, "value"], [2, dense, "value"], [1, last, "value"],
      ];
    }

    go(step) {
      const { app } = this;
      const [depth, layer, view, raw] = this.places()[step];
      const change = { tour: step };
      if (view) change.view = view;
      if (raw !== undefined) change.raw = raw;
      app.set(change);
      if (depth === 0) app.go({ depth: 0 });
      else app.go({ depth, layer, cell: app.interesting(layer), from: 0 });
      this.title.focus({ preventScroll: true });
    }

    start() { this.go(0); }

    close() {
      this.app.set({ tour: null });
      this.app.go({ depth: 0 });
    }

    draw() {
      const { app } = this;
      const { tour } = app.state;
      this.element.hidden = tour === null;
      if (tour === null || this.shown === tour) { this.shown = tour; return; }
      this.shown = tour;
      const { card, layers } = app.model;
      const values = {
        accuracy: card.test_accuracy === undefined ? words("tour.most") : percent(card.test_accuracy, 2), parameters: count(card.parameters ?? 0),
        train: count(card.train_n ?? 60000), path: layers.map(({ shape }) => shape.join("\u00d7")).join(" \u2192 "), ...this.sizes(),
      };
      this.title.textContent = `${tour + 1}. ${words(`tour.${tour + 1}.title`)}`;
      this.text.replaceChildren(...words(`tour.${tour + 1}.text`, values).split("\n").map((paragraph) => make("p", { textContent: paragraph })));
      [...this.dots.children].forEach((dot, i) => {
        if (i === tour) dot.firstChild.setAttribute("aria-current", "step");
        else dot.firstChild.removeAttribute("aria-current");
      });
      this.back.disabled = tour === 0;
      this.next.textContent = words(tour === STEPS - 1 ? "tour.end" : "tour.next");
    }

    sizes() {
      const { layers } = this.app.model;
      const places = this.places();
      const at = (step) => layers[places[step][1]];
      const size = (step) => at(step).shape.slice(0, 2).join("\u00d7");
      const previous = (step) => layers[places[step][1] - 1];
      return {
        filters: at(3).shape.at(-1), first: size(3), window: (at(3).window ?? [1, 1]).join("\u00d7"), pooled: size(5), poolWindow: (at(5).window ?? [1, 1]).join("\u00d7"),
        second: at(6).shape.at(-1), secondSize: size(6), depth: previous(6).shape.at(-1), terms: (at(6).window ?? [1, 1]).reduce((a, b) => a * b) * previous(6).shape.at(-1),
        flat: count(at(7).shape[0]), last: previous(7).shape.join("\u00d7"), units: count(at(8).shape[0]), numbers: count(previous(8).shape.reduce((a, b) => a * b)),
      };
    }
  }

  Digitscope.Tour = Tour;
})();
