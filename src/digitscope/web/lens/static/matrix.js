// The input as the network sees it: 784 numbers that can be read, copied and typed over, and how the strokes became them.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, fixed } = Digitscope;
  const SIDE = 28;
  const PAUSE = 1500; // milliseconds after which typing starts a new number

  class Matrix {
    constructor(app) {
      Object.assign(this, { app, typed: "", when: 0 });
      this.grid = new Digitscope.Grid({
        rows: SIDE, columns: SIDE, width: 22, label: words("matrix.label"),
        describe: (row, column) => app.sentence(0, row * SIDE + column),
        move: (row, column) => app.go({ cell: row * SIDE + column }),
        open: (row, column) => app.go({ cell: row * SIDE + column, depth: 2 }),
        press: (row, column) => { this.grid.element.focus(); app.go({ cell: row * SIDE + column }); },
        type: (row, column, key) => this.type(row * SIDE + column, key),
      });
      this.formula = make("p", { className: "formula" });
      this.units = Digitscope.choice(words("matrix.units"), [[true, words("matrix.raw")], [false, words("matrix.scaled")]],
        app.state.raw, (raw) => app.set({ raw }));
      this.steps = new Digitscope.Steps(app, true);
      const copy = (what) => make("button", { type: "button", className: "plain", textContent: words(`matrix.${what}`), onclick: () => app.copy(what) });
      this.element = make("div", { className: "view matrix" },
        make("div", { className: "matrix-main" }, this.grid.element),
        make("div", { className: "matrix-side" },
          make("p", { className: "lead", textContent: words("matrix.lead") }), this.units, this.formula,
          make("p", { className: "note", textContent: words("matrix.type") }),
          make("div", { className: "row" }, copy("csv"), copy("numpy")),
          make("h3", { textContent: words("steps.title") }), this.steps.element));
    }

    type(cell, key) {
      if (key === "Delete" || key === "Backspace") this.typed = "0";
      else if (/^[0-9.,]$/.test(key)) this.typed = (performance.now() - this.when < PAUSE && this.cell === cell ? this.typed : "") + key.replace(",", ".");
      else return false;
      Object.assign(this, { cell, when: performance.now() });
      const number = Number(this.typed) || 0;
      const { field, state: { raw } } = this.app;
      const pixels = Uint8Array.from(field, (ink) => Math.round(255 * ink));
      pixels[cell] = Math.round(raw ? Math.min(255, number) : 255 * Math.min(1, number));
      this.app.keep({ pixels });
      return true;
    }

    fit(width) {
      const main = width > 760 ? width - 330 : width;
      this.grid.resize(Math.max(11, Math.min(25, Math.floor(main / SIDE))));
    }

    draw() {
      const { field, state: { raw, place } } = this.app;
      const at = [Math.floor(place.cell / SIDE), place.cell % SIDE];
      const text = raw ? (ink) => `${Math.round(255 * ink)}` : (ink) => (ink === 0 ? "0" : ink >= 0.995 ? "1" : fixed(ink, 2).slice(1));
      const small = this.grid.width < 18;
      this.grid.stand(...at);
      this.grid.draw({ value: (row, column) => field[row * SIDE + column], colour: "grey", at, numbers: small ? null : text, size: raw ? 10 : 10.5 });
      this.units.choose(raw);
      const ink = field[place.cell];
      this.formula.textContent = words("matrix.formula", { row: at[0], column: at[1], raw: Math.round(255 * ink), scaled: fixed(ink, 4) });
      this.steps.draw();
    }
  }

  Digitscope.Matrix = Matrix;
})();
