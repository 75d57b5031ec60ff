// Layers that are lists of numbers: flatten, dense, and the last one, which shares 100 % among ten digits.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, fixed, short, percent, count, nameOf } = Digitscope;

  // A list as a table of numbers: flatten has a row per place and a column per map, dense as many columns as fit.
  class Vector {
    constructor(app, index) {
      Object.assign(this, { app, index, layer: app.model.layers[index] });
      const { layer } = this;
      const n = layer.shape[0], before = app.model.layers[index - 1].shape;
      this.flat = layer.kind === "flatten" && before.length === 3;
      this.columns = this.flat ? (before[2] > 1 ? before[2] : before[1]) : Math.min(n, 16);
      this.lead = make("p", { className: "lead" });
      this.sum = make("p", { className: "equation" });
      this.make(this.columns);
      this.element = make("div", { className: "view vector" }, this.lead, this.holder, this.sum,
        make("p", { className: "note", textContent: words(this.flat ? "vector.flat" : "vector.numbers") }));
      if (app.model.map?.layer === layer.name) {
        this.map = new Digitscope.FeatureMap(app, index);
        this.element.append(this.map.element);
      }
    }

    make(columns) {
      const { app, index, layer } = this;
      const cellAt = (row, column) => Math.min(layer.shape[0] - 1, row * columns + column);
      this.columns = columns;
      this.grid = new Digitscope.Grid({
        rows: Math.ceil(layer.shape[0] / columns), columns, width: 20, label: words("vector.label", { layer: nameOf(layer) }),
        describe: (row, column) => app.sentence(index, cellAt(row, column)),
        move: (row, column) => app.go({ cell: cellAt(row, column) }),
        open: (row, column) => app.go({ cell: cellAt(row, column), depth: 2 }),
        press: (row, column) => app.go({ cell: cellAt(row, column), depth: 2 }),
        point: (row, column) => app.go({ cell: cellAt(row, column) }),
      });
      this.holder ??= make("div", { className: "vector-grid" });
      this.holder.replaceChildren(this.grid.element);
    }

    fit(width) {
      if (!this.flat) {
        const columns = Math.min(this.layer.shape[0], width < 620 ? 8 : 16);
        if (columns !== this.columns) this.make(columns);
      }
      const side = Math.max(5, Math.floor(Math.min(width, 1040) / this.columns));
      this.grid.resize(side, this.flat ? Math.min(side, 18) : Math.min(38, Math.round(side * 0.6)));
      this.map?.fit(width);
    }

    draw() {
      const { app, index, layer, grid } = this;
      const { cell } = app.state.place;
      const values = app.shown(index), at = [Math.floor(cell / this.columns), cell % this.columns];
      const { low, high, limits } = app.ranges[index];
      grid.stand(...at);
      grid.draw({
        value: (row, column) => values[row * this.columns + column] ?? 0, limit: limits[0], at,
        numbers: this.flat ? null : short, size: grid.width < 48 ? 10 : 12,
      });
      this.sum.textContent = app.sentence(index, cell);
      this.map?.draw();
      const active = app.run.layers[index].values.reduce((n, value) => n + (value > 0), 0);
      this.lead.textContent = words(this.flat ? "vector.flat.lead" : "vector.dense.lead", {
        n: count(layer.shape[0]), active: count(active), low: short(low), high: short(high), before: count(app.model.layers[index - 1].shape.reduce((a, b) => a * b)),
      });
    }
  }

  // Ten rows from sum to share.
  class Softmax {
    constructor(app, index) {
      Object.assign(this, { app, index });
      this.rows = Array.from({ length: 10 }, (_, digit) => {
        const cells = { sum: make("td"), exponential: make("td"), share: make("td"), bar: make("i") };
        const open = make("button", {
          type: "button", className: "link", textContent: digit, "aria-label": words("softmax.open", { digit }),
          onclick: () => app.go({ cell: digit, depth: 2 }), onfocus: () => app.go({ cell: digit }),
        });
        const row = make("tr", { onpointermove: () => app.go({ cell: digit }), onclick: () => app.go({ cell: digit, depth: 2 }) },
          make("th", { scope: "row" }, open), cells.sum, cells.exponential, cells.share,
          make("td", { className: "wide" }, make("span", { className: "bar" }, cells.bar)));
        return { ...cells, row };
      });
      this.total = make("td");
      const head = ["digit", "sum", "exponential", "share"].map((key) => make("th", { scope: "col", textContent: words(`softmax.${key}`) }));
      this.element = make("div", { className: "view softmax" }, make("p", { className: "lead", textContent: words("softmax.lead") }),
        make("table", { className: "ledger" }, make("thead", {}, make("tr", {}, ...head, make("td"))),
          make("tbody", {}, ...this.rows.map(({ row }) => row)),
          make("tfoot", {}, make("tr", {}, make("th", { scope: "row", textContent: words("softmax.total") }), make("td"), this.total, make("td", { textContent: "100 %" }), make("td")))),
        make("p", { className: "note", textContent: words("softmax.note") }));
    }

    fit() {}

    draw() {
      const { app, index } = this;
      const { sums, values } = app.run.layers[index];
      const { exponentials, total } = Digitscope.softmax(sums);
      this.rows.forEach(({ sum, exponential, share, bar, row }, digit) => {
        sum.textContent = fixed(sums[digit], 3);
        exponential.textContent = exponentials[digit] >= 5e-5 ? fixed(exponentials[digit], 4) : Digitscope.tiny(exponentials[digit]);
        share.textContent = percent(values[digit], 2);
        bar.style.width = `${100 * values[digit]}%`;
        row.classList.toggle("best", digit === app.outcome.answer);
        row.classList.toggle("at", digit === app.state.place.cell);
      });
      this.total.textContent = fixed(total, 4);
    }
  }

  Object.assign(Digitscope, { Vector, Softmax });
})();
