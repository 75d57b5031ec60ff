// The panel "Where it errs most": which digits of the test it takes for which others, and their pictures. It counts nothing;
// web/lens/samples.py does.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, count } = Digitscope;

  Digitscope.Errors = class {
    constructor(app) {
      const { tested, wrong, pairs } = app.model.errors;
      Object.assign(this, { app, whose: make("p", { className: "whose" }) });
      const all = pairs.map(({ label, answer, n, shown }) => make("li", {}, make("b", { textContent: words(n === 1 ? "errors.once" : "errors.pair", { label, answer, n }) }),
        make("span", { className: "row" }, ...shown.map((index) => this.picture(app, app.samples.get(index), answer)))));
      this.element = make("div", { className: "view errors" },
        make("p", { className: "lead", textContent: words(wrong ? "errors.lead" : "errors.none", { tested: count(tested), wrong: count(wrong) }) }), this.whose, make("ul", {}, ...all));
    }

    picture(app, sample, answer) {
      const label = words("errors.one", { index: sample.index, label: sample.label, answer });
      return make("button", { type: "button", title: label, "aria-label": label, onclick: () => { app.keep({ sample: sample.index }); app.openPanel("why", { against: sample.label }); } },
        Digitscope.imageOf(sample.bytes, 28, 28));
    }

    heading() { return words("errors.title"); }
    fit() {}
    draw() { this.whose.textContent = this.app.whose; }
  };
})();
