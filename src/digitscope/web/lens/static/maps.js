// One map of a convolution or pooling, the maps it is made of, and the window that slides between them.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, fixed, nameOf, cellOf, flatIndex, numberTable } = Digitscope;

  class Maps {
    constructor(app, index) {
      Object.assign(this, { app, index, layer: app.model.layers[index], before: app.model.layers[index - 1], filled: Infinity });
      const { layer, before } = this;
      this.learns = layer.kind === "conv2d";
      this.source = new Digitscope.Grid({
        rows: before.shape[0], columns: before.shape[1], width: 10, passive: true, label: words("maps.source", { layer: nameOf(before) }),
        point: (row, column) => this.window(row, column),
      });
      this.target = new Digitscope.Grid({
        rows: layer.shape[0], columns: layer.shape[1], width: 10, label: words("maps.target", { layer: nameOf(layer) }),
        describe: (row, column) => app.sentence(index, this.cellAt(row, column)),
        move: (row, column) => this.go(row, column), open: (row, column) => this.open(row, column),
        press: (row, column) => this.open(row, column), point: (row, column) => this.hover(row, column),
      });
      this.few = [make("div"), make("div")];
      this.choose(4);
      this.middle = make("div", { className: "middle" });
      this.sum = make("p", { className: "equation" });
      this.sourceName = make("p", { className: "map-name" });
      this.targetName = make("p", { className: "map-name" });
      this.slide = new Digitscope.Slide(this.slideOwner());
      this.patches = make("div", { className: "patches" });
      this.whose = make("p", { className: "whose" });
      this.strokes = this.learns ? new Digitscope.Strokes(app, index) : null;
      this.element = this.build();
    }

    build() {
      const { app, layer } = this;
      const part = (name, ...children) => make("div", { className: `part ${name}` }, ...children);
      const views = layer.activation === "relu"
        ? Digitscope.choice(words("maps.show"), [["sum", words("maps.sum")], ["value", words("maps.relu")]], app.state.view, (view) => app.set({ view }))
        : null;
      this.views = views;
      return make("div", { className: "view maps" },
        make("div", { className: "flow" },
          this.sources && part("few", make("p", { className: "map-name", textContent: words("maps.all", { n: this.before.shape[2] }) }), this.few[0]),
          part("big", this.sourceName, this.source.element),
          part("between", this.middle),
          part("big", this.targetName, this.target.element),
          part("few", make("p", { className: "map-name", textContent: words("maps.all", { n: layer.shape[2] }) }), this.few[1])),
        this.sum,
        make("div", { className: "controls" }, this.slide.element, views,
          make("button", { type: "button", className: "plain", textContent: words("maps.open"), onclick: () => app.go({ depth: 2 }) })),
        this.patches, this.strokes?.element);
    }

    // The maps to choose from, in so many columns.
    choose(wanted) {
      if (this.wanted === wanted) return;
      const { app, index, layer, before } = this;
      this.wanted = wanted;
      this.sources = before.shape[2] > 1 ? this.atlas(index - 1, wanted, (map) => app.go({ from: map })) : null;
      this.targets = this.atlas(index, wanted, (map) => app.go({ cell: this.sameplace(map) }));
      this.few[0].replaceChildren(...(this.sources ? [this.sources.element] : []));
      this.few[1].replaceChildren(this.targets.element);
    }

    atlas(index, wanted, pick) {
      const { app } = this;
      const layer = app.model.layers[index], maps = layer.shape[2];
      const columns = Math.min(wanted, maps);
      const atlas = new Digitscope.Atlas({
        layer, columns, scale: 1, label: words("network.maps", { layer: nameOf(layer) }),
        describe: (row, column) => words("maps.pick", { layer: nameOf(layer), unit: Digitscope.unitWord(layer), map: Math.min(maps - 1, row * columns + column) }),
        move: (row, column) => pick(Math.min(maps - 1, row * columns + column)),
      });
      atlas.press = (cell) => pick(cell % maps);
      return atlas;
    }

    slideOwner() {
      const { app, layer } = this;
      return {
        length: layer.shape[0] * layer.shape[1],
        at: () => Math.floor(app.state.place.cell / layer.shape[2]),
        go: (place) => app.go({ cell: place * layer.shape[2] + this.map }),
        drawn: (n) => { this.filled = n; this.draw(); },
      };
    }

    // Where one is

    get map() { return this.app.state.place.cell % this.layer.shape[2]; }
    get from() { return this.learns ? Math.min(this.app.state.place.from ?? 0, this.before.shape[2] - 1) : this.map; }

    cellAt(row, column) { return flatIndex(this.layer.shape, [row, column, this.map]); }
    sameplace(map) { return this.app.state.place.cell - this.map + map; }

    go(row, column) {
      this.slide.pause();
      this.app.go({ cell: this.cellAt(row, column) });
    }

    open(row, column) {
      this.slide.pause();
      this.app.go({ cell: this.cellAt(row, column), depth: 2 });
    }

    hover(row, column) {
      if (!this.slide.playing) this.app.go({ cell: this.cellAt(row, column) });
    }

    // The cell whose window is nearest to a place of the source.
    window(row, column) {
      const { layer } = this;
      const place = (at, axis) => Math.min(layer.shape[axis] - 1,
        Math.max(0, Math.round((at + 0.5 - layer.window[axis] / 2) / layer.strides[axis])));
      this.hover(place(row, 0), place(column, 1));
    }

    // Showing

    fit(width) {
      const list = width < 620;
      this.choose(list ? 8 : 4);
      const atlases = [this.sources, this.targets].filter(Boolean);
      for (const atlas of atlases) {
        atlas.resize(list ? Math.max(1, Math.floor(width / atlas.canvas.width * 2) / 2) : Math.max(1, Math.round(26 / atlas.width)));
      }
      const few = atlases.reduce((sum, atlas) => sum + Math.max(84, atlas.canvas.width * atlas.scale), 0);
      const room = list ? width : Math.min(364, Math.max(180, (width - few - 164 - 16 * (2 + atlases.length)) / 2));
      const cell = Math.max(1, Math.floor(room / Math.max(this.source.columns, this.target.columns)));
      this.source.resize(cell);
      this.target.resize(cell);
    }

    draw() {
      const { app, index, layer, before, map, from } = this;
      const { cell } = app.state.place;
      const [row, column] = cellOf(layer.shape, cell);
      const terms = app.terms(index, cell);
      const group = Digitscope.contributions(app.model, index, terms).find((one) => one.map === from);
      const [top, left] = cellOf(before.shape, group.source);
      const values = app.shown(index), inputs = app.run.layers[index - 1].values;
      const channels = before.shape[2];
      this.source.draw({
        value: (r, c) => inputs[(r * before.shape[1] + c) * channels + from], colour: index === 1 ? "grey" : "signed",
        limit: app.ranges[index - 1].limits[from], ...numbersIn(this.source), frame: [top, left, group.rows, group.columns],
      });
      this.target.stand(row, column);
      this.target.draw({
        value: (r, c) => values[(r * layer.shape[1] + c) * layer.shape[2] + map], limit: app.ranges[index].limits[map],
        ...numbersIn(this.target), at: [row, column], shown: this.filled,
      });
      this.paintAtlas(this.sources, index - 1, group.source);
      this.paintAtlas(this.targets, index, cell);
      this.sourceName.textContent = index === 1 ? words("maps.input") : words("maps.map", { layer: nameOf(before), unit: Digitscope.unitWord(before), map: from });
      this.targetName.textContent = words("maps.map", { layer: nameOf(layer), unit: Digitscope.unitWord(layer), map });
      this.views?.choose(app.state.view);
      this.slide.count.textContent = words("slide.count", { at: row * layer.shape[1] + column + 1, all: layer.shape[0] * layer.shape[1] });
      this.explain(terms, group);
      this.showPatches();
      this.strokes?.draw();
    }

    paintAtlas(atlas, index, cell) {
      if (!atlas) return;
      const { limits, dead } = this.app.ranges[index];
      atlas.paint(this.app.shown(index), limits);
      atlas.strike(dead);
      atlas.mark(cell);
    }

    explain(terms, group) {
      const { layer, app, index } = this;
      const pick = (numbers) => group.which.map((i) => numbers[i]);
      const limit = app.ranges[index - 1].limits[this.from];
      const kind = index === 1 ? "grey" : "signed";
      const table = (key, values, options) => numberTable({ caption: words(key), columns: group.columns, values, ...options });
      if (!this.learns) {
        this.middle.replaceChildren(table("maps.four", pick(terms.values), { limit, mark: terms.winner, className: "large" }),
          make("p", { className: "note", textContent: words(`maps.${layer.kind}`, { n: group.which.length }) }));
        this.sum.textContent = words(`equation.${layer.kind}`, { values: Digitscope.listed(pick(terms.values).map((value) => fixed(value, 4))), result: fixed(terms.result, 4) });
        return;
      }
      const most = Math.max(...pick(terms.weights).map(Math.abs));
      this.middle.replaceChildren(
        table("maps.values", pick(terms.values), { kind, limit }), make("span", { className: "sign", textContent: "\u00d7" }),
        table("maps.weights", pick(terms.weights), { limit: most }), make("span", { className: "sign", textContent: "=" }),
        table("maps.products", pick(terms.products), { limit: most * limit }));
      const others = terms.sum - terms.bias - group.part;
      const rest = this.before.shape[2] > 1 ? words("equation.others", { n: this.before.shape[2] - 1, others: fixed(others, 4) }) : "";
      this.sum.textContent = words("equation.conv2d", { part: fixed(group.part, 4), rest, bias: fixed(terms.bias, 4), sum: fixed(terms.sum, 4) })
        + (layer.activation === "relu" ? words("equation.relu", { result: fixed(terms.result, 4) }) : "")
        + (Digitscope.agrees(terms) ? ` \u2713 ${words("equation.equal")}` : "");
    }

    // The parts of test images that excite this filter most.
    showPatches() {
      const found = this.app.model.patches?.[this.layer.name]?.[this.map];
      this.whose.textContent = this.app.whose;
      if (!found || this.patchesOf === this.map) return;
      this.patchesOf = this.map;
      const one = ({ sample, row, column, activation, pixels, height, width }) => {
        const bytes = Digitscope.bytesOf(pixels);
        const side = [height ?? Math.sqrt(bytes.length), width ?? Math.sqrt(bytes.length)];
        const label = words("patches.one", { sample, row, column, activation: fixed(activation, 2) });
        const canvas = picture(bytes, ...side);
        const known = this.app.samples.has(sample);
        return make("li", {}, make("button", {
          type: "button", title: label, "aria-label": label, disabled: !known,
          onclick: () => { this.app.keep({ sample }); this.go(row, column); },
        }, canvas, make("span", { textContent: fixed(activation, 2) })));
      };
      this.patches.replaceChildren(make("h3", { textContent: words("patches.title", { map: this.map }) }), this.whose,
        make("ol", {}, ...found.map(one)), make("p", { className: "note", textContent: words("patches.note") }));
    }
  }

  // Where a cell has room for its number, it shows it.
  const numbersIn = (grid) => (grid.width < 22 ? {} : { numbers: Digitscope.tight, size: Math.min(13, grid.width * 0.42) });

  const picture = (bytes, height, width) => {
    const canvas = make("canvas", { width, height, "aria-hidden": "true" });
    const brush = canvas.getContext("2d");
    const image = brush.createImageData(width, height);
    const { grey } = Digitscope.colours();
    new Uint32Array(image.data.buffer).set(Array.from(bytes, (byte) => grey[byte]));
    brush.putImageData(image, 0, 0);
    return canvas;
  };

  Object.assign(Digitscope, { Maps, imageOf: picture });
})();
