// One number and everything that it was computed from, down to the check against what the network stored.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, fixed, percent, count, nameOf, cellOf, flatIndex, numberTable, account, closing, added, writtenOut } = Digitscope;
  const TOP = 12;

  // A map of the layer to walk in, so that one can go from number to number.
  class Walker {
    constructor(app, index) {
      Object.assign(this, { app, index, layer: app.model.layers[index] });
      const { layer } = this;
      const maps = Digitscope.isMaps(layer);
      this.columns = maps ? layer.shape[1] : layer.shape[0] > 512 ? 40 : Math.min(16, layer.shape[0]);
      const rows = maps ? layer.shape[0] : Math.ceil(layer.shape[0] / this.columns);
      const at = (row, column) => (maps ? flatIndex(layer.shape, [row, column, this.map]) : Math.min(layer.shape[0] - 1, row * this.columns + column));
      const go = (row, column) => app.go({ cell: at(row, column) });
      this.grid = new Digitscope.Grid({
        rows, columns: this.columns, width: Math.max(5, Math.min(22, Math.floor(216 / this.columns))), label: words("number.walk", { layer: nameOf(layer) }),
        describe: (row, column) => app.sentence(index, at(row, column)), move: go, press: go,
      });
      this.element = make("div", { className: "part walker" }, make("p", { className: "map-name", textContent: words("number.here") }), this.grid.element,
        make("p", { className: "note", textContent: words("number.arrows") }));
    }

    get map() { return Digitscope.mapOf(this.layer, this.app.state.place.cell); }

    draw() {
      const { app, index, layer, columns } = this;
      const maps = Digitscope.isMaps(layer) ? layer.shape[2] : 1;
      const place = Math.floor(app.state.place.cell / maps);
      const at = [Math.floor(place / columns), place % columns];
      const values = app.shown(index);
      this.grid.stand(...at);
      this.grid.draw({
        value: (row, column) => values[(row * columns + column) * maps + this.map] ?? 0,
        colour: index ? "signed" : "grey", limit: app.ranges[index].limits[maps > 1 ? this.map : 0], at,
      });
    }
  }

  // Convolution from many maps: one card per map with its part of the sum; the chosen one opens to its nine products.
  class Cards {
    constructor(app, index) {
      Object.assign(this, { app, index, bySize: true });
      const maps = app.model.layers[index - 1].shape[2];
      this.cards = Array.from({ length: maps }, (_, map) => {
        const part = make("span", { className: "part-sum" }), bar = make("i");
        const button = make("button", { type: "button", className: "map-card", onclick: () => app.go({ from: map }) },
          make("span", { className: "which", textContent: map }), make("span", { className: "swing" }, bar), part);
        return { part, bar, button };
      });
      this.list = make("div", { className: "map-cards" }, ...this.cards.map(({ button }) => button));
      const order = Digitscope.choice(words("number.order"), [[true, words("number.by.size")], [false, words("number.by.map")]], true,
        (bySize) => { this.bySize = bySize; this.app.refresh(); });
      this.element = make("div", { className: "part cards" },
        make("div", { className: "row" }, make("p", { className: "map-name", textContent: words("number.parts", { n: maps }) }), order), this.list);
    }

    draw(groups) {
      const most = Math.abs(groups[0]?.part) || 1;
      groups.forEach(({ map, part }, rank) => {
        const { button, part: text, bar } = this.cards[map];
        text.textContent = fixed(part, 3);
        bar.className = part < 0 ? "minus" : "plus";
        bar.style.width = `${50 * Math.abs(part) / most}%`;
        button.style.order = this.bySize ? rank : map;
        button.setAttribute("aria-pressed", map === this.app.state.place.from);
        button.setAttribute("aria-label", words("number.card", { map, part: fixed(part, 3) }));
      });
    }
  }

  class Numbers {
    constructor(app, index) {
      Object.assign(this, { app, index, layer: app.model.layers[index], before: app.model.layers[index - 1] });
      this.walker = new Walker(app, index);
      this.cards = this.layer.kind === "conv2d" && this.before.shape[2] > 1 ? new Cards(app, index) : null;
      this.detail = make("div", { className: "part detail" });
      this.sum = make("div", { className: "part sum" });
      this.atlas = this.layer.kind === "dense" ? this.productAtlas() : null;
      const wide = this.layer.kind === "dense" || (this.layer.kind === "conv2d" && !this.cards);
      this.element = make("div", { className: wide ? "view number wide-detail" : "view number" },
        make("div", { className: "number-parts" }, this.walker.element, this.cards?.element ?? null, this.detail, this.sum));
    }

    // The products of a dense unit, laid out where their values were before they were flattened.
    productAtlas() {
      const { model } = this.app;
      const flat = this.before.kind === "flatten" ? model.layers[this.index - 2] : this.before;
      const maps = flat.shape[2];
      const shape = { shape: flat.shape };
      this.productsOf = flat;
      return new Digitscope.Atlas({
        layer: shape, columns: maps ? (maps % 8 === 0 ? 8 : Math.min(8, maps)) : 16, scale: maps ? Math.max(2, Math.round((maps === 1 ? 224 : 26) / flat.shape[0])) : 14,
        label: words("number.products"), describe: () => words("number.products"),
      });
    }

    fit() {}

    draw() {
      const { app, index, layer } = this;
      const { cell } = app.state.place;
      const terms = app.terms(index, cell);
      this.walker.draw();
      this[layer.kind](terms, cell);
      if (index) this.sum.firstChild.append(make("p", { className: "note", textContent: words("check.rounded") }));
    }

    input(terms, cell) {
      const [row, column] = cellOf(this.layer.shape, cell);
      this.detail.replaceChildren(make("p", { className: "lead", textContent: words("number.input", { row, column }) }));
      this.sum.replaceChildren(account([[words("number.raw"), count(Number(terms.values[0].toFixed(3)))], [words("number.by255"), terms.result, "result"]], terms));
    }

    conv2d(terms) {
      const { app, index, layer } = this;
      const groups = Digitscope.contributions(app.model, index, terms);
      const from = groups.find(({ map }) => map === (app.state.place.from ?? 0)) ?? groups[0];
      const pick = (numbers) => from.which.map((i) => numbers[i]);
      const limit = app.ranges[index - 1].limits[from.map], most = Math.max(...pick(terms.weights).map(Math.abs));
      const table = (key, values, options) => numberTable({ caption: words(key), columns: from.columns, values, className: "large", digits: 3, ...options });
      this.cards?.draw(groups);
      this.detail.replaceChildren(
        make("p", { className: "map-name", textContent: this.cards ? words("number.map", { map: from.map, layer: nameOf(this.before), n: from.which.length }) : words("number.nine", { n: from.which.length }) }),
        make("div", { className: "three" },
          table("maps.values", pick(terms.values), { kind: index === 1 ? "grey" : "signed", limit }), make("span", { className: "sign", textContent: "\u00d7" }),
          table("maps.weights", pick(terms.weights), { limit: most }), make("span", { className: "sign", textContent: "=" }),
          table("maps.products", pick(terms.products), { limit: most * limit })),
        make("p", { className: "written", textContent: writtenOut(terms, from.which) }));
      const all = added(terms.products);
      const lines = this.cards
        ? [[words("sum.map", { map: from.map }), from.part], [words("sum.others", { n: groups.length - 1 }), all - from.part], [words("sum.products", { n: count(terms.products.length) }), all, "total"]]
        : [[words("sum.products", { n: terms.products.length }), all]];
      this.sum.replaceChildren(account([...lines, ...closing(layer, terms)], terms));
    }

    max_pooling2d(terms) { this.pool(terms); }
    average_pooling2d(terms) { this.pool(terms); }

    pool(terms) {
      const { app, index, layer, before } = this;
      const [group] = Digitscope.contributions(app.model, index, terms);
      const n = terms.values.length;
      const [row, column, map] = cellOf(before.shape, terms.sources[terms.winner ?? 0]);
      this.detail.replaceChildren(
        numberTable({ caption: words("maps.four"), columns: group.columns, values: terms.values, limit: app.ranges[index - 1].limits[map], mark: terms.winner, digits: 4, className: "large" }),
        make("p", { className: "lead", textContent: words(`number.${layer.kind}`, { n, row, column, layer: nameOf(before) }) }));
      this.sum.replaceChildren(account([[words(`sum.${layer.kind}`), terms.result, "result"]], terms));
    }

    flatten(terms, cell) {
      const { before } = this;
      const [row, column, map] = cellOf(before.shape, cell);
      const [, width, maps] = before.shape;
      const back = make("button", { type: "button", className: "plain", textContent: words("number.goto", { layer: nameOf(before) }), onclick: () => this.app.go({ layer: this.index - 1, cell, depth: 2 }) });
      this.detail.replaceChildren(make("p", { className: "lead", textContent: words("number.flatten", { cell, row, column, map, layer: nameOf(before) }) }),
        make("p", { className: "written", textContent: maps === undefined ? `${cell}` : `(${row} \u00b7 ${width} + ${column}) \u00b7 ${maps} + ${map} = ${cell}` }),
        make("p", { className: "written", textContent: maps === undefined ? "" : words("number.flatten.back", { cell, maps, place: Math.floor(cell / maps), map, width, row, column }) }), back);
      this.sum.replaceChildren(account([[words("sum.flatten"), terms.result, "result"]], terms));
    }

    dense(terms, cell) {
      const { layer, before, productsOf, atlas } = this;
      const order = Array.from(terms.products.keys()).sort((a, b) => Math.abs(terms.products[b]) - Math.abs(terms.products[a]));
      const top = order.slice(0, TOP), rest = order.slice(TOP);
      const limit = Math.abs(terms.products[order[0]]) || 1;
      atlas.paint(terms.products, new Float32Array(productsOf.shape[2] ?? before.shape[0]).fill(limit));
      const where = (source) => {
        if (!productsOf.shape[2]) return words("number.unit", { unit: source });
        const [row, column, map] = cellOf(productsOf.shape, source);
        return words("number.where", { source, map, row, column });
      };
      const line = (i) => make("tr", {}, make("th", { scope: "row", textContent: where(terms.sources[i]) }),
        make("td", { textContent: fixed(terms.values[i], 3) }), make("td", { textContent: fixed(terms.weights[i], 3) }), swing(terms.products[i], limit));
      const head = ["source", "value", "weight", "product"].map((key) => make("th", { scope: "col", textContent: words(`number.head.${key}`) }));
      const named = make("p", { className: "map-name", textContent: words("number.products.title", { n: count(before.shape[0]) }) });
      this.detail.classList.add("beside");
      this.detail.replaceChildren(make("div", { className: "products" }, named, atlas.element),
        make("table", { className: "ledger terms" }, make("caption", { textContent: words("number.largest", { n: top.length }) }),
          make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...top.map(line))));
      const lines = [[words("sum.top", { n: top.length }), added(top.map((i) => terms.products[i]))],
        [words("sum.rest", { n: count(rest.length) }), added(rest.map((i) => terms.products[i]))]];
      this.sum.replaceChildren(account([...lines, ...closing(layer, terms)], terms), ...(layer.activation === "softmax" ? [this.shared(cell)] : []));
    }

    // exp(sum - largest) / total, written out.
    shared(cell) {
      const { sums, values } = this.app.run.layers[this.index];
      const { largest, exponentials, total } = Digitscope.softmax(sums);
      return make("p", { className: "written", textContent: words("number.softmax", {
        sum: fixed(sums[cell], 3), largest: fixed(largest, 3), exponential: exponentials[cell] >= 5e-5 ? fixed(exponentials[cell], 4) : Digitscope.tiny(exponentials[cell]),
        total: fixed(total, 4), share: percent(values[cell], 2),
      }) });
    }
  }

  const swing = (value, limit) => {
    const bar = make("i", { className: value < 0 ? "minus" : "plus" });
    bar.style.width = `${50 * Math.abs(value) / limit}%`;
    return make("td", { className: "with-swing" }, make("span", { className: "swing" }, bar), make("span", { textContent: fixed(value, 3) }));
  };

  Digitscope.Numbers = Numbers;
})();
