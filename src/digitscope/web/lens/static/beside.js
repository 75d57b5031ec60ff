// The same digit through a second network: both answers and the maps of one layer next to each other.
//
//   new Digitscope.Beside(app) -> {element, open(), close(), draw()}

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, percent, isMaps, nameOf } = Digitscope;

  class Beside {
    constructor(app) {
      Object.assign(this, { app, opened: new Map(), shown: false });
      const { layers, weights, known, beside, name } = app.json;
      this.rivals = [...(beside ?? []), { name: words("beside.finished", { name }), layers, weights, known }];
      const own = this.layersOf(app.model);
      this.which = make("select", { onchange: () => this.draw() }, ...this.rivals.map((rival, i) => make("option", { value: i, textContent: rival.name })));
      this.layer = make("select", { onchange: () => this.draw() }, ...own.map((layer, i) => make("option", { value: i, textContent: nameOf(layer) })));
      this.head = [make("b"), make("b")];
      this.bars = Array.from({ length: 10 }, (_, digit) => {
        const sides = [0, 1].map(() => ({ bar: make("i"), share: make("span", { className: "share" }) }));
        const cells = sides.flatMap(({ bar, share }, i) => [make("td", { className: "well" }, bar), make("td", { className: i ? "" : "first" }, share)]);
        return { sides, row: make("tr", {}, make("th", { scope: "row", textContent: digit }), ...cells) };
      });
      const heads = this.head.map((textContent) => make("th", { scope: "col", colSpan: 2 }, textContent));
      this.answers = make("table", { className: "two" }, make("caption", { className: "unseen", textContent: words("beside.answers") }),
        make("thead", {}, make("tr", {}, make("th", { scope: "col", textContent: words("softmax.digit") }), ...heads)), make("tbody", {}, ...this.bars.map(({ row }) => row)));
      this.maps = make("div", { className: "two-maps" });
      this.element = make("div", { className: "beside" },
        make("div", { className: "row" }, make("label", {}, `${words("beside.with")} `, this.which), make("label", {}, `${words("beside.layer")} `, this.layer)),
        make("div", { className: "two-parts" }, this.answers, this.maps));
    }

    layersOf(model) { return model.layers.filter((layer, i) => i > 0 && isMaps(layer)); }

    open() { this.shown = true; this.draw(); }
    close() { this.shown = false; }

    // Opened when it is first asked for.
    rival() {
      const json = this.rivals[this.which.value];
      if (!this.opened.has(json)) this.opened.set(json, { json, model: Digitscope.openModel(json), worker: Digitscope.Worker(json) });
      return this.opened.get(json);
    }

    // Like the reasons (why.js), the second network never delays the answer of the first.
    async draw() {
      if (!this.shown || this.waiting) return;
      this.waiting = true;
      await Digitscope.painted();
      this.waiting = false;
      const { app } = this, rival = this.rival(), own = app.run;
      const run = await rival.worker.run(own.layers[0].values);
      await Digitscope.frame();
      if (!run || !this.shown || rival !== this.rival()) return;
      const both = [{ name: app.wornName ?? app.model.name, model: app.model, run: own }, { name: rival.json.name, model: rival.model, run }];
      this.drawAnswers(both);
      this.drawMaps(both);
    }

    drawAnswers(both) {
      const best = both.map(({ run }) => run.probabilities.indexOf(Math.max(...run.probabilities)));
      both.forEach(({ name, run }, side) => {
        this.head[side].textContent = `${name}: ${run.refused ? words("answer.refused") : best[side]}`;
        this.bars.forEach(({ sides }, digit) => {
          const share = run.probabilities[digit];
          sides[side].bar.style.width = `${100 * share}%`;
          sides[side].share.textContent = percent(share);
          sides[side].share.classList.toggle("best", digit === best[side]);
        });
      });
    }

    // The layer of the same name, or the one as far from the beginning; all its maps, each network on its own scale.
    drawMaps(both) {
      const wanted = `${this.layer.value} ${this.which.value} ${both[0].name}`;
      if (this.of !== wanted) {
        this.of = wanted;
        this.sides = both.map((side) => this.side(side, this.layersOf(both[0].model)[this.layer.value].name));
        this.maps.replaceChildren(...this.sides.map(({ element }) => element));
      }
      both.forEach(({ run }, i) => {
        const { atlas, index } = this.sides[i], values = run.layers[index]?.values;
        atlas?.paint(values, new Float32Array(atlas.maps).fill(values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)));
      });
    }

    side({ name, model }, wanted) {
      const layers = this.layersOf(model);
      const layer = layers.find((one) => one.name === wanted) ?? layers[Math.min(this.layer.value, layers.length - 1)];
      if (!layer) return { element: make("p", { className: "note", textContent: words("beside.nomaps") }) };
      const [side, , maps] = layer.shape, columns = Math.min(maps, side > 16 ? 8 : 16);
      const atlas = new Digitscope.Atlas({ layer, columns, scale: 1, passive: true, label: words("network.maps.of", { layer: nameOf(layer), name }) });
      atlas.canvas.style.width = "100%";
      atlas.canvas.style.height = "auto";
      return { atlas, index: model.layers.indexOf(layer), element: make("figure", {}, make("figcaption", { className: "map-name", textContent: `${name}, ${nameOf(layer)}` }), atlas.element) };
    }
  }

  Digitscope.Beside = Beside;
})();
