// From strokes to the 28x28 field, one picture per step, each step with a switch. The steps are computed in raster.js.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, fixed, toggle } = Digitscope;

  class Steps {
    // `large`: with a switch and a sentence for every step; else three small pictures and one switch.
    constructor(app, large) {
      Object.assign(this, { app, large });
      this.pictures = ["photo", "drawn", "fitted", "field"].map((name) => {
        const canvas = make("canvas", { role: "img", "aria-label": words(`steps.${name}`) });
        const label = make("b", { textContent: words(large ? `steps.${name}` : `steps.${name}.short`) });
        return { name, canvas, label, text: make("span", { className: "what" }) };
      });
      this.list = make("ol", { className: "steps-list" },
        ...this.pictures.map(({ name, canvas, label, text }) =>
          make("li", { className: name }, canvas, label, text)),
        make("li", { className: "field ready-note", textContent: words("steps.ready.what") }));
      this.switches = large
        ? ["fit", "pen", "centre"].map((step) => toggle(words(`steps.${step}`), true, (on) => this.set({ [step]: on })))
        : [toggle(words("steps.all"), true, (on) => this.set({ fit: on, pen: on, centre: on }))];
      this.element = make("div", { className: large ? "steps large" : "steps" }, this.list,
        make("div", { className: "switches", role: "group", "aria-label": words("steps.switches") }, ...this.switches));
    }

    set(change) { this.app.set({ prepare: { ...this.app.state.prepare, ...change } }); }

    draw() {
      const { large, app: { steps, field, drawing, state: { prepare } } } = this;
      const [photo, drawn, fitted, made] = this.pictures;
      const fromStrokes = Boolean(steps); // strokes of the pen, here or in a photo
      this.element.classList.toggle("ready", !fromStrokes);
      this.element.classList.toggle("from-photo", Boolean(drawing.photo));
      if (drawing.photo) cutOut(photo.canvas, drawing.photo, steps);
      drawn.label.textContent = words(`steps.${drawing.photo ? "ink" : "drawn"}${large ? "" : ".short"}`);
      if (fromStrokes) {
        grey(drawn.canvas, steps.picture, steps.size, steps.box);
        grey(fitted.canvas, steps.fitted ?? new Float32Array(400), 20);
      }
      grey(made.canvas, field, 28, null, fromStrokes && steps.fitted ? [14, 14] : null);
      this.switches.forEach((one) => one.enable(fromStrokes));
      this.tell(steps, fromStrokes, drawing.photo);
      if (this.large) this.switches.forEach((one, i) => one.set(prepare[["fit", "pen", "centre"][i]]));
      else this.switches[0].set(prepare.fit && prepare.pen && prepare.centre);
    }

    tell(steps, fromStrokes, photo) {
      if (!this.large) return;
      const [source, drawn, fitted, made] = this.pictures;
      const box = fromStrokes && steps.box;
      const size = box && { width: box[2] - box[0], height: box[3] - box[1] };
      source.text.textContent = photo ? words("steps.photo.what", { all: photo.from }) : "";
      drawn.text.textContent = box
        ? words(photo ? "steps.ink.what" : "steps.drawn.what", size)
        : words("steps.empty.what");
      fitted.text.textContent = box && steps.fitted
        ? words("steps.fitted.what", { drawn: fixed(steps.pen.drawn, 1), used: fixed(steps.pen.used, 1) })
        : words(box ? "steps.unfitted.what" : "steps.none.what");
      const [right, down] = fromStrokes ? steps.shift : [0, 0];
      made.text.textContent = box && steps.fitted ? words("steps.field.what", { right: fixed(right, 0), down: fixed(down, 0) })
        : words(fromStrokes ? "steps.as.what" : "steps.ready.what");
    }
  }

  // The part of a photo that `steps.picture` shows the ink of; beyond the photo's rim it is white.
  const cutOut = (canvas, { digit, image }, { size, box }) => {
    canvas.width = canvas.height = size;
    const brush = canvas.getContext("2d");
    brush.fillStyle = "#fff";
    brush.fillRect(0, 0, size, size);
    brush.putImageData(image, box[0] - digit.left, box[1] - digit.top);
  };

  const grey = (canvas, values, side, box = null, middle = null) => {
    const brush = canvas.getContext("2d");
    if (canvas.width !== side) {
      canvas.width = canvas.height = side;
      canvas.image = brush.createImageData(side, side);
      canvas.pixels = new Uint32Array(canvas.image.data.buffer);
    }
    const { pixels } = canvas;
    const { grey: table } = Digitscope.colours();
    for (let i = 0; i < pixels.length; i++) pixels[i] = table[255 * values[i] + 0.5 | 0];
    brush.putImageData(canvas.image, 0, 0);
    brush.strokeStyle = brush.fillStyle = "#e08214";
    brush.lineWidth = side / 70;
    if (box) brush.strokeRect(box[0], box[1], box[2] - box[0], box[3] - box[1]);
    if (middle) {
      brush.globalAlpha = 0.6;
      brush.fillRect(middle[0] - 0.15, 0, 0.3, side);
      brush.fillRect(0, middle[1] - 0.15, side, 0.3);
      brush.globalAlpha = 1;
    }
  };

  Digitscope.Steps = Steps;
})();
