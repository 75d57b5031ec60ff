// The whole network, left to right: all maps of all layers, and what the cell under the pointer is made of.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, count, short, percent, isMaps, nameOf } = Digitscope;
  const SVG = "http://www.w3.org/2000/svg";
  const LINKS = 32;
  // From roomy to tight: which texts stand in one line, the gap between layers and the width of the shares as in page.css,
  // and how few columns of maps a layer may have.
  const LAYOUTS = [
    { texts: "whole", gap: 12, shares: 156, fewest: 4 },
    { texts: "pieces", gap: 12, shares: 156, fewest: 4 },
    { texts: "close", gap: 8, shares: 104, fewest: 2 },
  ];

  // A softmax as ten rows that behave like an atlas: bars with numbers.
  class Shares {
    constructor(app, index) {
      Object.assign(this, { app, index });
      const pick = (digit) => app.go({ depth: 2, layer: index, cell: digit });
      this.rows = Array.from({ length: 10 }, (_, digit) => {
        const bar = make("i"), share = make("span", { className: "share" });
        const button = make("button", {
          type: "button", className: "share-row", onclick: () => pick(digit),
          onpointerenter: () => app.point({ layer: index, cell: digit }), onpointerleave: () => app.point(null), onfocus: () => app.point({ layer: index, cell: digit }),
        }, make("b", { textContent: digit }), make("span", { className: "bar" }, bar), share);
        return { bar, share, button };
      });
      this.element = make("div", { className: "shares" }, ...this.rows.map(({ button }) => button));
    }

    paint() {
      const { probabilities, answer } = this.app.outcome;
      this.rows.forEach(({ bar, share, button }, digit) => {
        bar.style.width = `${100 * probabilities[digit]}%`;
        share.textContent = percent(probabilities[digit]);
        button.classList.toggle("best", digit === answer);
      });
    }

    mark() {}
  }

  class Network {
    constructor(app) {
      this.app = app;
      this.links = document.createElementNS(SVG, "svg");
      this.links.setAttribute("class", "links");
      this.links.setAttribute("aria-hidden", "true");
      this.columns = app.model.layers.map((layer, index) => this.column(layer, index));
      this.row = make("div", { className: "net-row" }, ...this.columns.map(({ element }) => element), this.links);
      this.reads = make("b");
      this.hint = make("span");
      const curve = (kind, key) => make("span", { className: `curve ${kind}` }, make("i"), words(key));
      this.readout = make("p", { className: "readout" }, this.reads, this.hint,
        make("span", { className: "curves" }, curve("plus", "network.plus"), curve("minus", "network.minus")));
      this.element = make("section", { className: "network", "aria-label": words("network.label") },
        make("div", { className: "net-scroll" }, this.row), this.readout);
      this.width = 0;
    }

    // Buttons for what belongs to no single cell: what it misreads, which strokes its filters see, the map of the last hidden layer, and a convolution to play with.
    more() {
      const { app } = this;
      const found = app.model.layers.findIndex(({ name }) => name === app.model.map?.layer);
      const button = (key, values, onclick) => make("button", { type: "button", className: "plain", textContent: words(key, values), onclick });
      return [button("errors.open", {}, () => app.openPanel("errors")),
        app.model.layers.some(({ kind }) => kind === "conv2d") ? button("strokes.open", {}, () => Digitscope.showStrokes(app)) : null,
        found > 0 ? button("map.open", { n: count(app.model.layers[found].shape[0]) }, () => Digitscope.showMap(app, found)) : null,
        button("toy.open", {}, Digitscope.showToy)];
    }

    column(layer, index) {
      const { app } = this;
      const part = layer.activation === "softmax" ? new Shares(app, index) : this.atlas(layer, index, 1, 1);
      const range = make("p", { className: "range", title: words("network.range.what") });
      const sizes = layer.shape.map(count);
      const spaced = sizes.join(" \u00d7 "), close = sizes.join("\u00d7");
      const size = make("span", { textContent: spaced });
      const head = make("button", {
        type: "button", className: "layer-head", title: words("network.open", { layer: nameOf(layer) }), onclick: () => app.open(index),
      }, make("b", { textContent: nameOf(layer) }), size);
      const [sum, total] = Digitscope.recounted(layer.formula).split(" = ");
      const window = layer.window?.join("\u00d7");
      const rule = total ? [sum, `= ${total}`] : [words(`learned.${layer.kind}`, { window }), words("learned.nothing")];
      const pieces = total ? sum.split(" + ").map((piece, i) => (i ? `+ ${piece}` : piece)) : rule[0].split(" ");
      const learned = make("p", { className: "learned" },
        ...pieces.flatMap((textContent) => [make("span", { textContent }), " "]), make("br"), rule[1]);
      const body = make("div", { className: "layer-body" }, part.element);
      const element = make("div", { className: "layer" }, head, body, range, learned, Digitscope.chapterLink(app.model, layer, words("report.read")));
      const texts = { whole: [rule[1], spaced, rule[0]], pieces: [rule[1], spaced, ...pieces], close: [rule[1], close, ...pieces] };
      return { layer, index, part, range, body, element, size, spaced, close, texts };
    }

    atlas(layer, index, columns, scale) {
      const { app } = this;
      const at = (row, column) => this.cellOnMap(index, Math.min(row * columns + column, (layer.shape[2] ?? layer.shape[0]) - 1));
      const atlas = new Digitscope.Atlas({
        layer, columns, scale, label: words("network.maps", { layer: nameOf(layer) }),
        describe: (row, column) => app.sentence(index, at(row, column)),
        move: (row, column) => app.point({ layer: index, cell: at(row, column) }, true),
        open: (row, column) => app.open(index, at(row, column)),
        point: (cell) => app.point(cell === null ? null : { layer: index, cell }),
      });
      atlas.press = (cell) => app.open(index, cell);
      return atlas;
    }

    // The cell at the same place of another map of a layer.
    cellOnMap(index, map) {
      const layer = this.app.model.layers[index];
      const { pointed } = this.app;
      if (!isMaps(layer)) return map;
      const place = pointed.layer === index ? Math.floor(pointed.cell / layer.shape[2]) : Math.floor(layer.shape[0] / 2) * (layer.shape[1] + 1);
      return place * layer.shape[2] + map;
    }

    // Layout: whole pixels for every cell, as large as all columns fit side by side, closer together where that is what it
    // takes; on a phone every layer as wide as it is.

    fit(wide) {
      const list = matchMedia("screen and (max-width: 44rem)").matches;
      if (!wide) return;
      const high = Math.max(470, innerHeight - this.row.getBoundingClientRect().top - scrollY - 190);
      const step = 1 / Math.min(2, Math.max(1, Math.round(devicePixelRatio || 1)));
      const fits = (plans, least, gap) => list || plans.reduce((sum, { width }, i) => sum + Math.max(least[i], width) + gap, -gap) <= wide;
      let plans = null;
      let least = null;
      for (const { texts, gap, shares, fewest } of LAYOUTS) {
        least = this.columns.map((column) => (column.part instanceof Shares ? shares : widest(column, texts)));
        for (let size = 1.8; size >= 0.5; size -= 0.05) {
          plans = this.columns.map(({ layer }) => (list ? planned(layer, wide) : plan(layer, high, size, step, fewest)));
          if (fits(plans, least, gap)) break;
        }
        this.row.classList.toggle("narrow", texts !== "whole");
        this.row.classList.toggle("tight", texts === "close");
        if (fits(plans, least, gap)) break;
      }
      const tight = this.row.classList.contains("tight");
      this.columns.forEach((column, i) => {
        column.size.textContent = tight ? column.close : column.spaced;
        column.element.style.width = list ? "" : `${Math.max(least[i], plans[i].width)}px`;
        this.build(column, plans[i]);
      });
      this.width = wide;
      this.corners = null;
      this.draw();
    }

    build(column, { columns, scale }) {
      if (column.part instanceof Shares) return;
      if (column.part.columns === columns) {
        column.part.resize(scale);
        return;
      }
      column.part = this.atlas(column.layer, column.index, columns, scale);
      column.body.replaceChildren(column.part.element);
    }

    // Showing

    draw() {
      const { app } = this;
      if (!this.width) return;
      this.columns.forEach(({ part, index, range, layer }) => {
        const { low, high, limits, dead } = app.ranges[index];
        part.paint(app.shown(index), limits, index ? "signed" : "grey");
        if (part.strike && index) part.strike(dead);
        const silent = isMaps(layer) && index && dead.length ? words("network.dead", { n: dead.length, all: layer.shape[2] }) : "";
        range.textContent = `${words("network.range", { low: short(low), high: short(high) })}\n${silent}`;
      });
      this.hint.textContent = words(app.outcome.blank ? "network.blank" : "network.hint");
      this.link();
    }

    // Lines from the cell one points at to everything that it is computed from, as thick as what it contributes.
    link() {
      const { app, links } = this;
      const { layer: index, cell } = app.pointed;
      this.columns.forEach(({ part, index: one }) => part.frame?.classList.toggle("on", one === index));
      this.columns[index].part.mark(cell);
      this.reads.textContent = app.sentence(index, cell);
      const shapes = [];
      const target = this.place(index, cell);
      if (index) {
        const groups = app.contributions(index, cell).slice(0, LINKS);
        const most = Math.max(...groups.map(({ part }) => Math.abs(part))) || 1;
        groups.reverse().forEach(({ source, rows, columns, part }) => {
          const from = this.place(index - 1, source, rows, columns);
          shapes.push(rect(from, "source"), curve(from, target, Math.abs(part) / most, part < 0));
        });
      }
      links.replaceChildren(...shapes, rect(target, "target"));
    }

    // Where a cell is drawn, from the corner of the row of layers.
    place(index, cell, rows = 1, columns = 1) {
      const { part } = this.columns[index];
      this.corners ??= this.measure();
      const boxes = this.corners[index];
      if (part instanceof Shares) return boxes[cell];
      const [x, y, width, height] = part.rectOf(cell, rows, columns);
      return [x + boxes[0][0], y + boxes[0][1], width, height];
    }

    // Where the layers stand; measured once, because asking the browser for it on every move of the pen costs a layout.
    measure() {
      const origin = this.row.getBoundingClientRect();
      this.links.setAttribute("viewBox", `0 0 ${this.row.offsetWidth} ${this.row.offsetHeight}`);
      const boxOf = (element) => {
        const box = element.getBoundingClientRect();
        return [box.left - origin.left, box.top - origin.top, box.width, box.height];
      };
      return this.columns.map(({ part }) => (part instanceof Shares ? part.rows.map(({ button }) => button) : [part.canvas]).map(boxOf));
    }
  }

  // How a layer of maps or numbers is laid out: the fewest columns whose rows are not higher than `high`.
  const plan = (layer, high, size, step, fewest) => {
    const [side, , maps] = isMaps(layer) ? layer.shape : [1, 1, layer.shape[0]];
    if (!isMaps(layer)) {
      const cell = Math.max(1, Math.round((maps > 256 ? 4 : 12) * Math.min(size, 1.25)));
      const columns = divisor(maps, Math.min(high, 480) / cell, fewest);
      return { columns, scale: cell, width: columns * cell };
    }
    const wanted = maps === 1 ? 3 * side * Math.min(1.2, size) : (Math.min(19, 3.8 * side) + 1.28 * side) * size;
    const scale = Math.max(step, Math.floor(wanted / side / step) * step);
    const gap = maps > 1 ? 1 : 0;
    const columns = divisor(maps, high / ((side + gap) * scale), fewest);
    return { columns, scale, width: (columns * (side + gap) - gap) * scale };
  };

  const planned = (layer, wide) => {
    const [side, , maps] = isMaps(layer) ? layer.shape : [1, 1, layer.shape[0]];
    const columns = maps === 1 ? 1 : isMaps(layer) ? Math.min(maps, side > 20 ? 4 : 8) : maps > 512 ? 64 : 16;
    const unit = isMaps(layer) && maps > 1 ? side + 1 : side;
    const limit = maps === 1 ? Math.min(wide, 196) : wide;
    return { columns, scale: Math.floor(limit / (columns * unit) * 2) / 2, width: wide };
  };

  const widest = ({ layer, texts }, which) => Math.max(widthOf(nameOf(layer), "650 14px"), ...texts[which].map((text) => widthOf(text)));

  // How wide a text is, of the small size if none is given.
  const widthOf = (text, size = "12px") => {
    ruler.font = `${size} ${getComputedStyle(document.body).fontFamily}`;
    return Math.ceil(ruler.measureText(text).width) + 2;
  };
  const ruler = document.createElement("canvas").getContext("2d");

  const divisor = (maps, rows, fewest) => {
    for (let columns = Math.min(fewest, maps); columns < maps; columns++) {
      if (maps % columns === 0 && maps / columns <= rows) return columns;
    }
    return maps;
  };

  const shape = (name, attributes) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };

  const rect = ([x, y, width, height], className) => shape("rect", { x, y, width, height, class: className });

  const curve = ([x, y, width, height], [toX, toY, , toHeight], strength, minus) => {
    const [ax, ay, bx, by] = [x + width, y + height / 2, toX, toY + toHeight / 2];
    const bend = Math.max(18, (bx - ax) / 2);
    return shape("path", {
      d: `M${ax} ${ay}C${ax + bend} ${ay} ${bx - bend} ${by} ${bx} ${by}`, class: minus ? "minus" : "plus",
      "stroke-width": 0.6 + 2.2 * strength, "stroke-opacity": 0.18 + 0.7 * strength,
    });
  };

  Digitscope.Network = Network;
})();
