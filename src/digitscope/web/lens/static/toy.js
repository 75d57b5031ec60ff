// A small convolution to play with: stride, padding, kernel size and dilation, and the size of the output that follows.
//
//   Digitscope.outputSize({n, p, d, k, s}) -> cells along a side, 0 where the window fits nowhere
//   Digitscope.toy() -> element; Digitscope.showToy(): the same in a dialog
//
// The report has it, too (web/report/window.js), so it needs nothing but dom.js and toy.css.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words } = Digitscope;
  const SETTINGS = { size: ["n", 5, 10, 8], kernel: ["k", 1, 5, 3], stride: ["s", 1, 3, 1], padding: ["p", 0, 2, 0], dilation: ["d", 1, 3, 1] };
  const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

  const spanOf = ({ d, k }) => d * (k - 1) + 1;
  const outputSize = ({ n, p, d, k, s }) => Math.max(0, Math.floor((n + 2 * p - spanOf({ d, k })) / s) + 1);

  // The picture: a 7, one cell thick. The kernel: an upright edge, -1 on its left, 1 on its right.
  const inkAt = (n, row, column) => Number(row > 0 && row < n - 1 && column > 0 && column < n - 1 && (row === 1 || row + column === n - 1));
  const weightAt = (k, column) => (k === 1 ? 1 : Math.sign(column - (k - 1) / 2));

  class Toy {
    constructor() {
      this.values = Object.fromEntries(Object.values(SETTINGS).map(([name, , , first]) => [name, first]));
      this.at = [0, 0];
      this.parts = Object.fromEntries(["input", "weights", "output"].map((name) => [name, { title: make("p", { className: "toy-name" }), cells: make("div", { className: "toy-cells" }) }]));
      const { input, weights, output } = this.parts;
      Object.assign(output.cells, { tabIndex: 0, onkeydown: (event) => this.key(event) });
      output.cells.setAttribute("role", "group");
      output.cells.setAttribute("aria-label", words("toy.grid"));
      for (const name of ["pointermove", "pointerdown"]) output.cells.addEventListener(name, (event) => this.stand(event));
      this.sum = make("p", { className: "toy-sum", "aria-live": "polite" });
      this.formula = make("p", { className: "toy-formula" });
      this.notes = make("p", { className: "toy-notes" });
      this.element = make("div", { className: "toy" }, make("div", { className: "toy-controls" }, ...Object.entries(SETTINGS).map((one) => this.control(...one))),
        this.formula, make("div", { className: "toy-parts" }, ...[input, weights, output].map(({ title, cells }) => make("div", {}, title, cells))),
        this.sum, this.notes);
      this.draw();
    }

    control(word, [name, min, max]) {
      const shown = make("b", { textContent: this.values[name] });
      const slider = make("input", {
        type: "range", min, max, step: 1, value: this.values[name], "aria-label": words(`toy.${word}`),
        oninput: () => {
          this.values[name] = Number(slider.value);
          shown.textContent = slider.value;
          this.at = [0, 0];
          this.draw();
        },
      });
      return make("label", {}, make("span", {}, `${words(`toy.${word}`)} `, shown), slider);
    }

    // What is under the window of an output cell: [{row, column, ink, weight}], rows and columns of the padded input.
    under([row, column]) {
      const { n, p, d, k, s } = this.values, found = [];
      for (let y = 0; y < k; y++) {
        for (let x = 0; x < k; x++) {
          const [r, c] = [row * s + y * d, column * s + x * d];
          found.push({ row: r, column: c, ink: inkAt(n, r - p, c - p), weight: weightAt(k, x) });
        }
      }
      return found;
    }

    resultOf(place) { return this.under(place).reduce((sum, { ink, weight }) => sum + ink * weight, 0); }

    move(row, column) {
      const last = this.out - 1;
      this.at = [row, column].map((place) => Math.min(last, Math.max(0, place)));
      this.mark();
    }

    stand(event) {
      const i = [...this.parts.output.cells.children].indexOf(event.target);
      if (i >= 0) this.move(Math.floor(i / this.out), i % this.out);
    }

    key(event) {
      const step = MOVES[event.key];
      if (!step || !this.out) return;
      event.preventDefault();
      this.move(this.at[0] + step[0], this.at[1] + step[1]);
    }

    // Showing

    draw() {
      const { values, parts } = this, { n, p, d, k, s } = values;
      const all = n + 2 * p, span = spanOf(values), out = this.out = outputSize(values);
      table(parts.input.cells, all, (row, column) => {
        const rim = Math.min(row, column) < p || Math.max(row, column) >= n + p, ink = inkAt(n, row - p, column - p);
        return { text: ink, className: rim ? "rim" : ink ? "ink" : "" };
      });
      table(parts.weights.cells, k, (row, column) => signed(weightAt(k, column)));
      table(parts.output.cells, out, (row, column) => signed(this.resultOf([row, column])));
      parts.input.title.textContent = words("toy.input", { n, all });
      parts.weights.title.textContent = words("toy.weights", { k });
      parts.output.title.textContent = words("toy.output", { out });
      const over = minus(all - span);
      this.formula.replaceChildren(words("toy.formula"), make("br"), out ? words("toy.numbers", { n, p, d, k, s, over, out }) : words("toy.empty", { span, all }));
      const unseen = out ? (all - span) % s : 0;
      this.notes.textContent = [
        out && out === n ? words("toy.same") : p ? words("toy.padded", { p }) : words("toy.valid"),
        d > 1 && k > 1 ? words("toy.gaps", { d, k, span }) : "", unseen ? words("toy.unseen", { n: unseen }) : "",
      ].filter(Boolean).join(" ");
      this.mark();
    }

    // The window over the input, the cell that it fills, and the sum.
    mark() {
      const { parts, at: [row, column], out } = this;
      const all = this.values.n + 2 * this.values.p;
      for (const { cells } of [parts.input, parts.output]) for (const cell of cells.children) cell.classList.remove("at");
      if (!out) {
        this.sum.textContent = "";
        return;
      }
      const under = this.under(this.at);
      under.forEach((one) => parts.input.cells.children[one.row * all + one.column].classList.add("at"));
      parts.output.cells.children[row * out + column].classList.add("at");
      const terms = under.filter(({ ink, weight }) => ink * weight).map(({ ink, weight }) => `${ink}\u00b7${weight < 0 ? `(${minus(weight)})` : weight}`);
      this.sum.textContent = words("toy.cell", { row, column, sum: terms.join(" + ") || words("toy.none"), result: minus(this.resultOf(this.at)) });
    }
  }

  const minus = (value) => `${value}`.replace("-", "\u2212");
  const signed = (value) => ({ text: minus(value), className: value > 0 ? "above" : value < 0 ? "below" : "" });

  const table = (cells, side, describe) => {
    cells.style.gridTemplateColumns = `repeat(${side || 1}, minmax(0, 1fr))`;
    cells.style.maxWidth = `${side * 1.75}rem`;
    cells.replaceChildren(...Array.from({ length: side * side }, (_, i) => {
      const { text, className } = describe(Math.floor(i / side), i % side);
      return make("span", { textContent: text, className });
    }));
  };

  const toy = () => new Toy().element;

  const showToy = () => {
    const dialog = make("dialog", { className: "toy-dialog", "aria-label": words("toy.title"), onclose: () => dialog.remove(), onkeydown: (event) => event.stopPropagation() },
      make("h2", { textContent: words("toy.title") }), make("p", { className: "lead", textContent: words("toy.lead") }), toy(),
      make("button", { type: "button", className: "main", textContent: words("toy.close"), onclick: () => dialog.close() }));
    document.body.append(dialog);
    dialog.showModal();
  };

  Object.assign(Digitscope, { outputSize, toy, showToy });
})();
