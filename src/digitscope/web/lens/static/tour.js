// Ten steps in plain words from the picture to the answer. Each opens the place that it talks about; it computes nothing.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, count, percent } = Digitscope;
  class Tour {
    constructor(app) {
      this.app = app;
      this.steps = this.places().map((place, i) => ({ text: i + 1, place })).filter(({ place }) => place);
      this.title = make("h2", { tabIndex: -1 });
      this.text = make("div", { className: "tour-text" });
      this.back = make("button", { type: "button", className: "plain", textContent: words("tour.back"), onclick: () => this.go(app.state.tour - 1) });
      this.next = make("button", { type: "button", className: "main", textContent: words("tour.next"), onclick: () => (app.state.tour === this.steps.length - 1 ? this.close() : this.go(app.state.tour + 1)) });
      this.dots = make("ol", { className: "dots" }, ...this.steps.map((_, step) =>
        make("li", {}, make("button", { type: "button", "aria-label": words("tour.step", { step: step + 1 }), onclick: () => this.go(step) }))));
      this.element = make("section", { className: "tour", hidden: true, "aria-label": words("tour.label") },
        make("div", { className: "tour-head" }, this.title, this.dots), this.text,
        make("div", { className: "tour-buttons" }, this.back, this.next,
          make("button", { type: "button", className: "plain", textContent: words("tour.close"), onclick: () => this.close() })));
    }

    // Where each of the ten steps takes one, [depth, layer, view, raw pixels]; null: this network has no such layer.
    places() {
      const { layers } = this.app.model;
      const first = (kind) => layers.findIndex((layer) => layer.kind.endsWith(kind));
      const at = (depth, layer, view) => (layer >= 0 ? [depth, layer, view] : null);
      const conv = first("conv2d"), pool = first("pooling2d");
      const later = layers.findIndex(({ kind }, i) => kind === "conv2d" && i > conv && i > pool);
      return [
        [0, 0], [1, 0, "value", true], [1, 0, "value", false], at(1, conv, "sum"), at(1, conv, "value"), at(1, pool, "value"),
        at(1, later, "value"), at(1, first("flatten"), "value"), at(2, first("dense"), "value"), [1, layers.length - 1, "value"],
      ];
    }

    go(step) {
      const { app } = this;
      const [depth, layer, view, raw] = this.steps[Math.min(step, this.steps.length - 1)].place;
      const change = { tour: step };
      if (view) change.view = view;
      if (raw !== undefined) change.raw = raw;
      app.set(change);
      const cell = app.interesting(layer);
      app.go(depth === 0 ? { depth } : { depth, layer, cell, ...app.bestSource(layer, cell) });
      this.title.focus({ preventScroll: true });
      if (matchMedia("(max-width: 44rem)").matches) document.getElementById("stage").scrollIntoView();
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
      document.body.classList.toggle("touring", tour !== null);
      const before = this.shown;
      this.shown = `${tour} ${"sample" in app.drawing}`;
      if (tour === null || this.shown === before) return;
      const { text } = this.steps[tour];
      this.title.textContent = `${tour + 1}. ${words(`tour.${text}.title`)}`;
      this.text.replaceChildren(make("p", { textContent: words(`tour.${text}.text`, this.values()) }));
      [...this.dots.children].forEach((dot, i) => {
        if (i === tour) dot.firstChild.setAttribute("aria-current", "step");
        else dot.firstChild.removeAttribute("aria-current");
      });
      this.back.disabled = tour === 0;
      this.next.textContent = words(tour === this.steps.length - 1 ? "tour.end" : "tour.next");
    }

    // The numbers of this network that the texts speak of.
    values() {
      const { card, layers } = this.app.model;
      const places = this.places();
      const about = (step) => {
        const index = places[step]?.[1] ?? 0;
        const layer = layers[index], before = layers[Math.max(0, index - 1)];
        const window = layer.window ?? [1, 1];
        return {
          n: count(layer.shape.at(-1)), size: layer.shape.slice(0, 2).join("\u00d7"), window: window.join("\u00d7"), kind: layer.kind,
          before: before.shape, terms: count(window[0] * window[1] * before.shape.at(-1)),
        };
      };
      const [conv, pool, second, flat, dense] = [3, 5, 6, 7, 8].map(about);
      const own = !("sample" in this.app.drawing);
      return {
        digit: words(own ? "tour.own" : "tour.sample"),
        accuracy: card.test_accuracy === undefined ? words("tour.most") : percent(card.test_accuracy, 2),
        parameters: count(card.parameters ?? 0), train: count(card.train_n ?? 60000),
        filters: conv.n, window: conv.window, pooled: pool.size, poolWindow: pool.window, large: pool.before.slice(0, 2).join("\u00d7"),
        stays: words(pool.kind === "average_pooling2d" ? "tour.mean" : "tour.largest"),
        second: second.n, depth: second.before.at(-1), terms: second.terms,
        flat: flat.n, last: flat.before.join("\u00d7"), units: dense.n, numbers: count(dense.before.reduce((a, b) => a * b)),
      };
    }
  }

  Digitscope.Tour = Tour;
})();
