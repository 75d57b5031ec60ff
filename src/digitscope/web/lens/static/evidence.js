// What speaks for the answer and against another digit, as a picture of the pixels and as a list of units. It computes
// nothing but sums; attribution.js does.
//
//   new Digitscope.PixelEvidence(app, choose) -> {element, fit(width), draw(pair, found, integrated, whole)}
//     found: what Digitscope.evidence gave, and `of`, the run that it is about; integrated: what Digitscope.integratedGradients returned, null while it works
//     choose(whole): called when the reader wants the one or the other
//   new Digitscope.UnitEvidence(app) -> {element, draw(pair, found)}

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, fixed, count, percent, nameOf, added } = Digitscope;
  const SIDE = 28;
  const TOP = 6; // units listed on either side: as many as fit beside the picture

  const line = ([key, number, className = ""]) =>
    make("tr", { className }, make("th", { scope: "row", textContent: key }), make("td", { textContent: typeof number === "string" ? number : fixed(number, 3) }));
  const table = (lines) => make("table", {}, make("tbody", {}, ...lines.map(line)));
  const heading = (key, text = words(key)) => make("h3", { textContent: text });

  class PixelEvidence {
    constructor(app, choose) {
      Object.assign(this, { run: app.run, at: 14 * SIDE + 14, values: new Float64Array(SIDE * SIDE) });
      const stand = (row, column) => { this.at = row * SIDE + column; this.paint(); };
      this.grid = new Digitscope.Grid({
        rows: SIDE, columns: SIDE, width: 11, label: words("why.pixels.label"),
        describe: (row, column) => this.sentence(row * SIDE + column), move: stand, press: stand, point: stand,
      });
      this.methods = Digitscope.choice(words("why.method"), [[false, words("why.live")], [true, words("why.whole")]], false, choose);
      this.legend = make("p", { className: "why-legend note" });
      this.here = make("p", { className: "formula" });
      this.account = make("div", { className: "account" });
      this.note = make("p", { className: "note" });
      this.element = make("section", { className: "why-part pixels", "aria-label": words("why.pixels") }, heading("why.pixels"), this.methods,
        make("div", { className: "why-picture" }, this.grid.element, make("div", {}, this.legend, this.here)), this.account, this.note);
    }

    fit(width) { this.grid.resize(Math.max(8, Math.min(13, Math.floor((width < 620 ? width : width / 2 - 190) / SIDE)))); }

    sentence(cell) {
      const ink = this.run.layers[0].values[cell], value = this.values[cell];
      const place = { row: Math.floor(cell / SIDE), column: cell % SIDE, ink: fixed(ink, 2) };
      if (!ink) return words("why.pixel.none", place);
      return words("why.pixel", { ...place, slope: fixed(value / ink, 3), value: fixed(value, 3), digit: value < 0 ? this.pair[1] : this.pair[0] });
    }

    draw(pair, found, integrated, whole) {
      Object.assign(this, { pair, run: found.of });
      const [digit, other] = pair;
      this.methods.choose(whole);
      this.legend.replaceChildren(key("plus", words("why.for", { digit })), key("minus", words("why.for", { digit: other })));
      this.element.classList.toggle("working", whole && !integrated);
      if (!whole) this.tell(found.pixels, [[words("why.score"), found.score, "stored"]], words("why.live.note"));
      else if (!integrated) this.tell(new Float64Array(SIDE * SIDE), [], words("why.working"));
      else {
        const { pixels, score, empty, sum } = integrated;
        const wanted = score - empty;
        this.tell(pixels, [[words("why.score"), score], [words("why.empty"), -empty], [words("why.wanted"), wanted, "stored"],
          [words("why.missing"), words("why.missing.of", { missing: fixed(wanted - sum, 3), share: percent(Math.abs((wanted - sum) / wanted)) })]], words("why.whole.note"));
      }
    }

    tell(values, lines, note) {
      this.values = values;
      const [digit, other] = this.pair;
      const [above, below] = [1, -1].map((sign) => added(values.filter((value) => sign * value > 0)));
      this.account.replaceChildren(table([[words("why.sum.for", { digit }), above], [words("why.sum.for", { digit: other }), below],
        [words("why.sum"), above + below, "total"], ...lines]));
      this.note.textContent = note;
      this.paint();
    }

    paint() {
      const { values, at } = this;
      const place = [Math.floor(at / SIDE), at % SIDE];
      const limit = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      this.grid.stand(...place);
      this.grid.draw({ value: (row, column) => values[row * SIDE + column], limit, at: place });
      if (this.pair) this.here.textContent = this.sentence(at);
    }
  }

  // Which colour means what, with a sign for those who see none.
  const key = (kind, text) => make("span", { className: "key" }, make("i", { className: kind, textContent: kind === "plus" ? "+" : "\u2212" }), text);

  class UnitEvidence {
    constructor(app) {
      this.app = app;
      const { layers } = app.model;
      Object.assign(this, { index: layers.length - 2, layer: layers[layers.length - 2] });
      this.sides = [1, -1].map((sign) => ({ sign, name: make("p", { className: "map-name" }), list: make("ol", { className: "unit-list" }) }));
      this.rest = make("div", { className: "account" });
      this.element = make("section", { className: "why-part", "aria-label": words("why.units") }, heading("why.units"),
        make("p", { className: "note", textContent: words("why.units.note", { layer: nameOf(this.layer), n: count(this.layer.shape[0]), unit: Digitscope.unitWord(this.layer) }) }),
        make("div", { className: "unit-sides" }, ...this.sides.map(({ name, list }) => make("div", {}, name, list))), this.rest);
    }

    draw(pair, { score, units, bias, of }) {
      const { values } = of.layers[this.index];
      const order = [...units.keys()].sort((a, b) => units[b] - units[a]);
      const limit = Math.max(...units.map(Math.abs)) || 1;
      const listed = this.sides.map(({ sign, name, list }, side) => {
        const top = (sign > 0 ? order : [...order].reverse()).slice(0, TOP).filter((unit) => sign * units[unit] > 0);
        name.textContent = words("why.for", { digit: pair[side] });
        list.replaceChildren(...top.map((unit) => this.row(unit, values[unit], units[unit], limit)));
        return top.map((unit) => units[unit]);
      }).flat();
      const all = added(units);
      this.rest.replaceChildren(table([[words("why.units.listed", { n: listed.length }), added(listed)],
        [words("sum.rest", { n: count(units.length - listed.length) }), all - added(listed)], [words("why.bias"), bias], [words("sum.sum"), all + bias, "total"],
        [words("why.score.stored"), score, "stored"]]), Digitscope.checked({ difference: all + bias - score, stored: score }));
    }

    row(unit, value, part, limit) {
      const bar = make("i", { className: part < 0 ? "minus" : "plus" });
      bar.style.width = `${100 * Math.abs(part) / limit}%`;
      const name = `${Digitscope.unitWord(this.layer)} ${unit}`;
      return make("li", {}, make("button", {
        type: "button", "aria-label": words("why.unit", { name, value: fixed(value, 2), part: fixed(part, 3) }), onclick: () => this.app.go({ depth: 2, layer: this.index, cell: unit, from: 0 }),
      }, make("span", { textContent: name }), make("span", { className: "push" }, bar), make("b", { textContent: `${part > 0 ? "+" : ""}${fixed(part, 2)}` })));
    }
  }

  Object.assign(Digitscope, { PixelEvidence, UnitEvidence });
})();
