// The bar at the top of the page and the one over the stage: where one is, the way back, and what the maps show.
//
//   Digitscope.topBar(app) -> element
//   new Digitscope.Bar(app) -> {element, show(), draw()}   show: for another place; draw: for other numbers

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, count, percent, choice, isMaps, nameOf, cellOf, mapOf, unitWord } = Digitscope;

  const REPORT = "digitscope-report"; // the tab of the report, which gives itself this name

  const plain = (properties, ...children) => make("button", { type: "button", className: "plain", ...properties }, ...children);

  const topBar = (app) => {
    const { card, name } = app.model;
    const facts = [name, words("facts.parameters", { n: count(card.parameters ?? 0) }),
      card.test_accuracy === undefined ? null : words("facts.accuracy", { share: percent(card.test_accuracy, 2) })].filter(Boolean);
    return make("header", { className: "top" },
      make("h1", {}, make("b", { textContent: "Digitscope" }), make("span", { textContent: words("subtitle") })),
      make("p", { className: "facts", textContent: facts.join(" \u00b7 ") }),
      make("div", { className: "top-buttons" },
        app.model.report && make("a", { className: "plain", href: app.model.report.file, target: REPORT, textContent: words("report.open") }),
        make("button", { type: "button", className: "main", textContent: words("tour.start"), onclick: () => app.tour.start() }),
        app.questions.button,
        saveMenu(app),
        plain({ textContent: words("theme"), title: words("theme.what"), onclick: () => app.turn() }),
        plain({ textContent: words("keys"), "aria-haspopup": "dialog", onclick: help }),
        Digitscope.languageMenu()));
  };

  // The chapter of the report beside the page that explains a layer; null where there is none.
  const chapterLink = ({ report }, { name }, word) => {
    const chapter = report?.chapters[name];
    return chapter ? make("a", {
      className: "chapter", href: `${report.file}#${chapter}`, target: REPORT, textContent: word,
      "aria-label": words("report.layer", { layer: nameOf({ name }) }),
    }) : null;
  };

  const saveMenu = (app) => {
    const item = (kind, act) => make("button", { type: "button", textContent: words(`export.${kind}`), onclick: () => { menu.open = false; act(kind); } });
    const menu = make("details", { className: "menu" }, make("summary", { textContent: words("export.menu") }),
      make("div", {}, ...["png", "svg", "csv"].map((kind) => item(kind, () => Digitscope.exportAs(app, kind))), item("link", () => app.copyLink())));
    menu.addEventListener("focusout", (event) => { if (!menu.contains(event.relatedTarget)) menu.open = false; });
    return menu;
  };

  const help = () => {
    const rows = ["tab", "arrows", "enter", "esc", "brackets", "pad", "undo"].map((key) =>
      make("div", {}, make("dt", {}, make("kbd", { textContent: words(`keys.${key}`) })), make("dd", { textContent: words(`keys.${key}.what`) })));
    const dialog = make("dialog", { "aria-label": words("keys.title"), onclose: () => dialog.remove(), onkeydown: (event) => event.stopPropagation() },
      make("h2", { textContent: words("keys.title") }), make("dl", {}, ...rows),
      make("button", { type: "button", className: "main", textContent: words("keys.close"), onclick: () => dialog.close() }));
    document.body.append(dialog);
    dialog.showModal();
  };

  class Bar {
    constructor(app) {
      this.app = app;
      this.element = make("div", { className: "stage-bar" });
    }

    show() {
      const { panel, state: { place } } = this.app;
      this.element.replaceChildren(...(panel ? this.over() : place.depth ? this.way() : this.options()));
    }

    // Over a panel: the way back and what it is about.
    over() {
      this.heading = make("h2");
      return [make("div", { className: "crumbs" }, this.backButton(words(this.app.state.place.depth ? "back.before" : "back.network")), this.heading)];
    }

    backButton(where) { return plain({ className: "plain back", onclick: () => this.app.back() }, `\u2190 ${where}`, make("kbd", { textContent: "Esc" })); }

    // Over the whole network: what the maps show and what their colours mean.
    options() {
      const { app } = this;
      const { view, scale } = app.state;
      this.legend = make("canvas", { className: "legend", width: 101, height: 1, role: "img", "aria-label": words("legend.what") });
      return [make("h2", { textContent: words("network.title") }),
        make("div", { className: "options" },
          make("span", { className: "legend-box" }, words("legend.low"), this.legend, words("legend.high")),
          choice(words("maps.show"), [["sum", words("maps.sum")], ["value", words("maps.relu")]], view, (value) => app.set({ view: value })),
          make("span", { className: "option-name", title: words("scale.what"), textContent: words("scale") }),
          choice(words("scale.what"), ["map", "layer", "network"].map((one) => [one, words(`scale.${one}`)]), scale, (value) => app.set({ scale: value })))];
    }

    // Deeper: all layers, the way back, and the maps before and after.
    way() {
      const { app } = this;
      const { place } = app.state;
      const { layers } = app.model;
      const layer = layers[place.layer];
      const tabs = layers.map((one, index) => make("button", {
        type: "button", "aria-current": index === place.layer ? "true" : null, onclick: () => app.open(index),
      }, make("b", { textContent: nameOf(one) }), make("span", { textContent: one.shape.map(count).join("\u00d7") })));
      const turn = (by) => plain({
        textContent: by < 0 ? "\u2039" : "\u203a", "aria-label": words(by < 0 ? "maps.before" : "maps.after", { unit: unitWord(layer) }),
        onclick: () => app.turnMap(by),
      });
      const whole = make("button", { type: "button", className: "whole", onclick: () => app.go({ depth: 0 }) }, make("b", { textContent: words("tabs.whole") }));
      this.tabs = make("nav", { className: "tabs", "aria-label": words("tabs.label") }, whole, ...tabs);
      this.heading = make("h2");
      return [this.tabs, make("div", { className: "crumbs" },
        this.backButton(words(place.depth === 2 ? "back.map" : "back.network")),
        this.heading, chapterLink(app.model, layer, words("report.chapter")), ...(isMaps(layer) && layer.shape[2] > 1 ? [turn(-1), turn(1)] : []))];
    }

    // The tab of the layer one is in, in sight and, if the focus was in the bar, with it.
    settle(focus) {
      const current = this.element.querySelector("[aria-current]");
      if (!current) return;
      this.tabs.scrollLeft = current.offsetLeft - this.tabs.clientWidth / 2;
      if (focus) current.focus();
    }

    draw() {
      const { app } = this;
      const { depth, layer: index, cell } = app.state.place;
      if (app.panel) this.heading.textContent = app.panel.heading();
      else if (depth === 0) this.drawLegend();
      else if (depth === 2) this.heading.textContent = app.sentence(index, cell);
      else {
        const layer = app.model.layers[index], [row, column] = cellOf(layer.shape, cell), unit = unitWord(layer);
        const map = isMaps(layer) && layer.shape[2] > 1 ? words("crumb.map", { layer: nameOf(layer), unit, map: mapOf(layer, cell) }) : nameOf(layer);
        const number = isMaps(layer) ? words("crumb.cell", { row, column }) : words("crumb.number", { unit, cell });
        this.heading.replaceChildren(map, make("span", { textContent: ` ${number}` }));
      }
    }

    drawLegend() {
      const brush = this.legend.getContext("2d");
      for (let i = 0; i <= 100; i++) {
        brush.fillStyle = Digitscope.shade("signed", (i - 50) / 50).fill;
        brush.fillRect(i, 0, 1, 1);
      }
    }
  }

  Object.assign(Digitscope, { topBar, chapterLink, Bar });
})();
