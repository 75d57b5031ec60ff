// The pad: mouse, finger, pen or keyboard make strokes. It does not know what becomes of them.
//
// pad.ghost: {stroke, drawing} | null: a stroke to be shown over that drawing and no other.
//   Digitscope.paintDrawing(canvas, drawing, field, ghost): the same picture on another canvas
// Points are whole pad units 0..280. app.preview(drawing) is called on every move, app.keep(drawing) when a stroke ends.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, icon } = Digitscope;
  const SIZE = 280;
  const WIDTHS = { least: 6, most: 48, first: 22 };
  const ICONS = {
    pen: "M3 17l1-4L14 3l3 3L7 16z M12 5l3 3",
    eraser: "M8 16l-5-5 8-8 6 6-7 7z M6 8l6 6 M7 17h10",
    undo: "M4 8h8a4 4 0 010 8H8 M7 5L4 8l3 3",
    redo: "M16 8H8a4 4 0 000 8h4 M13 5l3 3-3 3",
    clear: "M4 6h12 M8 6V4h4v2 M6 6l1 11h6l1-11",
  };
  const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  class Pad {
    constructor(app) {
      Object.assign(this, { app, stroke: null, erase: false, width: WIDTHS.first, cursor: null, ghost: null });
      this.canvas = make("canvas", {
        className: "pad", tabIndex: 0, role: "application", "aria-label": words("pad.label"), "aria-describedby": "pad-keys",
        onpointerdown: (event) => this.press(event), onpointermove: (event) => this.drag(event),
        onpointerup: () => this.lift(), onpointercancel: () => this.lift(), onlostpointercapture: () => this.lift(),
        onkeydown: (event) => this.key(event), onblur: () => { this.lift(); this.cursor = null; this.draw(); },
      });
      this.hint = make("p", { className: "pad-hint", "aria-hidden": "true" });
      this.said = make("p", { className: "pad-said", "aria-hidden": "true" });
      this.box = make("div", { className: "pad-box" }, this.canvas, this.hint, this.said,
        make("p", { id: "pad-keys", className: "unseen", textContent: words("pad.keys") }));
      this.element = make("div", { className: "pad-place" }, this.box);
      new IntersectionObserver(([{ isIntersecting }]) => this.stick(!isIntersecting)).observe(this.element);
      this.tools = this.buildTools();
    }

    buildTools() {
      const tool = (name, act, extra = {}) => make("button", {
        type: "button", className: "tool", title: words(`pad.${name}`), "aria-label": words(`pad.${name}`), onclick: act, ...extra,
      }, icon(ICONS[name]));
      this.pen = tool("pen", () => this.take(false), { "aria-pressed": "true" });
      this.eraser = tool("eraser", () => this.take(true), { "aria-pressed": "false" });
      this.undo = tool("undo", () => this.app.undo());
      this.redo = tool("redo", () => this.app.redo());
      const size = make("input", {
        type: "range", min: WIDTHS.least, max: WIDTHS.most, step: 2, value: this.width, title: words("pad.width"),
        "aria-label": words("pad.width"), oninput: () => { this.width = Number(size.value); },
      });
      this.clear = tool("clear", () => this.app.keep({ strokes: [] }));
      return make("div", { className: "tools", role: "group", "aria-label": words("pad.tools") },
        this.pen, this.eraser, size, this.undo, this.redo, this.clear);
    }

    // On a phone the pad, small, stays at the top while one looks at the maps below.
    stick(away) {
      if (this.stroke) return;
      this.box.classList.toggle("strip", away);
      this.draw();
    }

    take(erase) {
      this.erase = erase;
      this.pen.setAttribute("aria-pressed", !erase);
      this.eraser.setAttribute("aria-pressed", erase);
    }

    // Strokes

    at(event) {
      const box = this.canvas.getBoundingClientRect();
      const place = (offset, length) => Math.min(SIZE, Math.max(0, Math.round(offset / length * SIZE)));
      return [place(event.clientX - box.left, box.width), place(event.clientY - box.top, box.height)];
    }

    press(event) {
      if (event.button > 0) return;
      this.canvas.setPointerCapture(event.pointerId);
      this.pointer = event.pointerId;
      this.cursor = null;
      this.begin(...this.at(event), this.erase || event.buttons === 32);
    }

    drag(event) {
      if (!this.stroke || event.pointerId !== this.pointer) return;
      const moves = event.getCoalescedEvents?.() ?? [];
      for (const move of moves.length ? moves : [event]) this.extend(...this.at(move));
      this.preview();
    }

    begin(x, y, erase) {
      this.stroke = { points: [x, y], width: this.width, erase };
      this.base = this.app.drawing;
      this.preview();
    }

    extend(x, y) {
      const { points } = this.stroke;
      if (points.at(-2) !== x || points.at(-1) !== y) points.push(x, y);
    }

    lift() {
      if (!this.stroke) return;
      const made = this.made();
      this.stroke = null;
      this.app.keep(made);
    }

    // A pen on a test image starts a new drawing; the eraser takes ink off the image itself.
    made() {
      const stroke = { ...this.stroke, points: [...this.stroke.points] };
      if (this.base.strokes) return { strokes: [...this.base.strokes, stroke] };
      return stroke.erase ? { pixels: Digitscope.overlaid(Digitscope.fieldOf(this.base, this.app.samples).field, stroke) } : { strokes: [stroke] };
    }

    preview() { this.app.preview(this.made()); }

    // Keys: arrows move a cursor, space puts the pen down and lifts it.
    key(event) {
      const step = KEYS[event.key];
      if (event.key === " " || event.key === "Enter") this.penDown();
      else if (step && !event.altKey && !event.metaKey) this.walk(step, event.shiftKey ? 2 : 10);
      else if (event.key === "Delete" || event.key === "Backspace") this.app.keep({ strokes: [] });
      else if (event.key === "Escape" && this.stroke) { this.lift(); event.stopPropagation(); }
      else return;
      event.preventDefault();
    }

    penDown() {
      this.cursor ??= [SIZE / 2, SIZE / 2];
      if (this.stroke) this.lift();
      else this.begin(...this.cursor, this.erase);
      this.app.say(words(this.stroke ? "pad.down" : "pad.up"));
      this.draw();
    }

    walk([right, down], step) {
      this.cursor ??= [SIZE / 2, SIZE / 2];
      this.cursor = this.cursor.map((place, i) => Math.min(SIZE, Math.max(0, place + step * [right, down][i])));
      if (this.stroke) {
        this.extend(...this.cursor);
        this.preview();
      }
      this.draw();
    }

    // Showing

    draw() {
      const { canvas } = this;
      const side = Math.round((canvas.clientWidth || SIZE) * (devicePixelRatio || 1));
      if (canvas.width !== side) canvas.width = canvas.height = side;
      const brush = canvas.getContext("2d");
      brush.setTransform(1, 0, 0, 1, 0, 0);
      brush.fillStyle = "#000";
      brush.fillRect(0, 0, side, side);
      brush.setTransform(side / SIZE, 0, 0, side / SIZE, 0, 0);
      const { drawing } = this.app;
      paint(brush, drawing, this.app.field);
      if (this.ghost?.drawing === drawing) haunt(brush, this.ghost.stroke);
      if (this.cursor) cross(brush, this.cursor, this.width, Boolean(this.stroke));
      const empty = drawing.strokes && !drawing.strokes.length;
      this.hint.textContent = empty ? words("pad.empty") : drawing.strokes ? "" : words("pad.over");
      this.hint.classList.toggle("middle", Boolean(empty));
      this.undo.disabled = !this.app.drawings.canUndo;
      this.redo.disabled = !this.app.drawings.canRedo;
    }
  }

  const line = (brush, { points, width, erase }) => {
    brush.strokeStyle = erase ? "#000" : "#fff";
    brush.lineWidth = width;
    brush.lineCap = brush.lineJoin = "round";
    brush.beginPath();
    brush.moveTo(points[0], points[1]);
    for (let i = points.length > 2 ? 2 : 0; i < points.length; i += 2) brush.lineTo(points[i], points[i + 1]);
    brush.stroke();
  };

  const paint = (brush, drawing, field) => {
    if (drawing.strokes) drawing.strokes.forEach((stroke) => line(brush, stroke));
    else squares(brush, field);
  };

  // A stroke that is not drawn yet: orange if it adds ink; blue and dashed if it erases.
  const haunt = (brush, { points, width, erase }) => {
    const colour = erase ? "#4fa3e0" : "#f0983a";
    const trace = () => {
      brush.beginPath();
      brush.moveTo(points[0], points[1]);
      for (let i = 2; i < points.length; i += 2) brush.lineTo(points[i], points[i + 1]);
      brush.stroke();
    };
    brush.save();
    brush.lineCap = brush.lineJoin = "round";
    Object.assign(brush, { strokeStyle: colour, lineWidth: width, globalAlpha: 0.75 });
    trace();
    brush.setLineDash(erase ? [7, 7] : []);
    Object.assign(brush, { strokeStyle: "#000", lineWidth: 3, globalAlpha: 1 });
    trace();
    brush.restore();
  };

  // A drawing and a ghost over it on any square canvas.
  const paintDrawing = (canvas, drawing, field, ghost) => {
    const brush = canvas.getContext("2d");
    brush.setTransform(canvas.width / SIZE, 0, 0, canvas.height / SIZE, 0, 0);
    brush.fillStyle = "#000";
    brush.fillRect(0, 0, SIZE, SIZE);
    paint(brush, drawing, field);
    haunt(brush, ghost);
  };

  const squares = (brush, field) => {
    const image = new ImageData(28, 28);
    const { grey } = Digitscope.colours();
    new Uint32Array(image.data.buffer).set(Array.from(field, (ink) => grey[Math.round(255 * ink)]));
    const small = make("canvas", { width: 28, height: 28 });
    small.getContext("2d").putImageData(image, 0, 0);
    brush.imageSmoothingEnabled = false;
    brush.drawImage(small, 0, 0, SIZE, SIZE);
  };

  const cross = (brush, [x, y], width, down) => {
    brush.strokeStyle = "#e08214";
    brush.lineWidth = 2;
    brush.beginPath();
    brush.arc(x, y, Math.max(4, width / 2), 0, 7);
    if (!down) {
      brush.moveTo(x - 14, y);
      brush.lineTo(x + 14, y);
      brush.moveTo(x, y - 14);
      brush.lineTo(x, y + 14);
    }
    brush.stroke();
  };

  Object.assign(Digitscope, { Pad, paintDrawing });
})();
