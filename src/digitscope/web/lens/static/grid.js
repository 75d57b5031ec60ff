// A table of numbers, drawn on a canvas, that mouse, keyboard and screen reader can walk. It computes nothing.
//
// Only the cell one stands on is in the document (role=gridcell); the table says how large it really is.
//   new Digitscope.Grid({rows, columns, width, height, label, describe, move, open, press, point, type, passive})
//     width, height: of a cell in CSS pixels; describe(row, column) -> sentence
//     move, open: keys; press, point: click and hover; all called with (row, column)
//     type(row, column, key) -> true if it took the key; passive: only a picture
//   grid.draw({value, colour, numbers, at, frame, ring, shown})
//     value(row, column) -> number; colour: "signed" | "grey", limit: what is full colour; numbers(value) -> text | null
//     frame: [row, column, rows, columns] round a window; shown: cells from there on are left empty

"use strict";

globalThis.Digitscope ??= {};

(() => {
  let made = 0;

  const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

  // The part of a grid that is the same whatever is drawn in it: where one stands, keys, and what is read out.
  class Walk {
    constructor(options, canvas) {
      Object.assign(this, { move: () => {}, open: () => {}, type: () => false, point: null, leave: null }, options);
      this.canvas = canvas;
      this.row = this.column = 0;
      const id = `cell-${++made}`;
      this.cell = Digitscope.make("div", { role: "gridcell", id, "aria-selected": "true" });
      this.line = Digitscope.make("div", { role: "row", className: "unseen" }, this.cell);
      canvas.setAttribute("aria-hidden", "true");
      this.element = this.passive ? Digitscope.make("div", { className: "walk", role: "img", "aria-label": this.label }, canvas) : Digitscope.make("div", {
        className: "walk", role: "grid", tabIndex: 0, "aria-label": this.label, "aria-rowcount": this.rows,
        "aria-colcount": this.columns, "aria-activedescendant": id, onkeydown: (event) => this.key(event),
      }, canvas, this.line);
    }

    stand(row, column) {
      this.row = Math.min(this.rows - 1, Math.max(0, row));
      this.column = Math.min(this.columns - 1, Math.max(0, column));
      this.line.setAttribute("aria-rowindex", this.row + 1);
      this.cell.setAttribute("aria-colindex", this.column + 1);
      this.tell();
    }

    tell() { if (!this.passive) this.cell.textContent = this.describe(this.row, this.column); }

    key(event) {
      if (event.metaKey || event.altKey) return;
      const step = MOVES[event.key];
      if (event.key === "Enter") this.open(this.row, this.column);
      else if (step) this.go(this.row + step[0], this.column + step[1]);
      else if (event.key === "Home") this.go(event.ctrlKey ? 0 : this.row, 0);
      else if (event.key === "End") this.go(event.ctrlKey ? this.rows - 1 : this.row, this.columns - 1);
      else if (event.key === "PageUp") this.go(0, this.column);
      else if (event.key === "PageDown") this.go(this.rows - 1, this.column);
      else if (event.ctrlKey || !this.type(this.row, this.column, event.key)) return;
      event.preventDefault();
    }

    go(row, column) {
      this.stand(row, column);
      this.move(this.row, this.column);
    }
  }

  class Grid extends Walk {
    constructor(options) {
      super(options, Digitscope.make("canvas"));
      this.frames = null;
      this.canvas.addEventListener("click", (event) => this.press?.(...this.under(event)));
      if (this.point) this.canvas.addEventListener("pointermove", (event) => this.point(...this.under(event)));
      this.resize(this.width, this.height ?? this.width);
    }

    resize(width, height = width) {
      Object.assign(this, { width, height });
      this.canvas.style.width = `${this.columns * width}px`;
      this.canvas.style.aspectRatio = `${this.columns * width} / ${this.rows * height}`;
    }

    under(event) {
      const box = this.canvas.getBoundingClientRect();
      const part = (offset, length, cells) => Math.min(cells - 1, Math.max(0, Math.floor(offset / length * cells)));
      return [part(event.clientY - box.top, box.height, this.rows), part(event.clientX - box.left, box.width, this.columns)];
    }

    draw({ value, colour = "signed", limit = 1, numbers = null, at = null, frame = null, shown = Infinity, size = 11 }) {
      const { canvas, rows, columns } = this;
      const ratio = Math.max(1, devicePixelRatio || 1);
      const [width, height] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
      if (canvas.width !== columns * width || canvas.height !== rows * height) {
        canvas.width = columns * width;
        canvas.height = rows * height;
      }
      const brush = canvas.getContext("2d");
      brush.clearRect(0, 0, canvas.width, canvas.height);
      if (numbers) {
        brush.font = `${size * ratio}px ${getComputedStyle(canvas).fontFamily}`;
        brush.textAlign = "center";
        brush.textBaseline = "middle";
      }
      for (let i = 0; i < Math.min(shown, rows * columns); i++) {
        const [row, column] = [Math.floor(i / columns), i % columns];
        const number = value(row, column);
        const { fill, ink } = Digitscope.shade(colour, limit ? number / limit : 0);
        brush.fillStyle = fill;
        brush.fillRect(column * width, row * height, width, height);
        const text = numbers?.(number);
        if (!text) continue;
        brush.fillStyle = ink;
        brush.fillText(text, (column + 0.5) * width, (row + 0.5) * height, 0.9 * width);
      }
      if (frame) outline(brush, frame, width, height, ratio);
      if (at) outline(brush, [...at, 1, 1], width, height, ratio);
      this.tell();
    }
  }

  // A frame that is seen on any colour: dark within light.
  const outline = (brush, [row, column, rows, columns], width, height, ratio) => {
    const line = 2 * ratio;
    for (const [thick, ink] of [[2 * line, "#fff"], [line, "#d1390b"]]) {
      brush.lineWidth = thick;
      brush.strokeStyle = ink;
      brush.strokeRect(
        Math.max(line / 2, column * width), Math.max(line / 2, row * height),
        Math.min(brush.canvas.width - line / 2, (column + columns) * width) - Math.max(line / 2, column * width),
        Math.min(brush.canvas.height - line / 2, (row + rows) * height) - Math.max(line / 2, row * height));
    }
  };

  Object.assign(Digitscope, { Walk, Grid });
})();
