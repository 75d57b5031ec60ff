// Which strokes the filters of a convolution see: each stands beside the one of four to which it answers most.
//
//   new Digitscope.Strokes(app, index) -> {element, draw()}   index: of the layer
//   Digitscope.showStrokes(app): opens the first convolution and brings its strokes into sight

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, short, nameOf } = Digitscope;
  const SIDE = 28, HALF = 1.5; // half of the stroke's width, in pixels of the field: MNIST's pens are about as wide
  const ANGLES = { level: 90, rising: 45, upright: 0, falling: 135 }; // degrees from upright, clockwise

  // A stroke right across the field, so that no end of it counts.
  const stroke = (degrees) => {
    const angle = degrees * Math.PI / 180, middle = (SIDE - 1) / 2;
    return Float32Array.from({ length: SIDE * SIDE }, (_, cell) => {
      const away = Math.abs((cell % SIDE - middle) * Math.cos(angle) + (Math.floor(cell / SIDE) - middle) * Math.sin(angle));
      return Math.min(1, Math.max(0, HALF + 0.5 - away));
    });
  };

  class Strokes {
    constructor(app, index) {
      Object.assign(this, { app, index });
      this.element = make("section", { className: "strokes" });
    }

    draw() {
      const { app, index } = this;
      if (this.of === app.worn) return;
      this.of = app.worn;
      const layer = app.model.layers[index], maps = layer.shape[2], kinds = Object.keys(ANGLES);
      const most = kinds.map((kind) => {
        const largest = new Float32Array(maps);
        Digitscope.run(app.model, stroke(ANGLES[kind])).layers[index].values.forEach((value, i) => { largest[i % maps] = Math.max(largest[i % maps], value); });
        return largest;
      });
      const rows = [...kinds, "none"].map((kind, k) => [kind, []]);
      for (let map = 0; map < maps; map++) {
        const best = Digitscope.strongest(most.map((one) => one[map]));
        rows[most[best][map] > 0 ? best : kinds.length][1].push({ map, value: most[best][map] });
      }
      this.element.replaceChildren(make("h3", { textContent: words("strokes.title", { n: maps, layer: nameOf(layer) }) }), make("p", { className: "note", textContent: words("strokes.note") }),
        make("ul", {}, ...rows.filter(([, found]) => found.length).map(([kind, found]) => this.row(kind, found.sort((a, b) => b.value - a.value)))));
    }

    row(kind, found) {
      const { app, index } = this, layer = app.model.layers[index];
      const buttons = found.map(({ map, value }) => make("button", {
        type: "button", className: "plain", textContent: map, title: words("strokes.one", { map, value: short(value) }), "aria-label": words("strokes.one", { map, value: short(value) }),
        onclick: () => app.go({ depth: 1, layer: index, cell: Digitscope.strongest(app.run.layers[index].values.map((one, i) => (i % layer.shape[2] === map ? one : -Infinity))) }),
      }));
      return make("li", {}, make("b", { textContent: words(`strokes.${kind}`) }), make("span", { className: "row" }, ...buttons));
    }
  }

  const showStrokes = (app) => {
    app.open(app.model.layers.findIndex(({ kind }) => kind === "conv2d"));
    app.stage.querySelector(".strokes").scrollIntoView({ block: "center" });
  };

  Object.assign(Digitscope, { Strokes, showStrokes });
})();
