// A cell's arithmetic on the page: small tables of numbers, and the account that ends with the check. It computes nothing
// but sums of the terms that the engine gives.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { make, words, fixed, tiny } = Digitscope;

  // Numbers in a table, coloured; `mark`: which of them is ringed.
  const numberTable = ({ caption, columns, values, kind = "signed", limit = 1, mark = null, digits = 2, className = "" }) => {
    const rows = [];
    for (let start = 0; start < values.length; start += columns) {
      rows.push(make("tr", {}, ...Array.from(values.slice(start, start + columns), (value, i) => {
        const { fill, ink } = Digitscope.shade(kind, limit ? value / limit : 0);
        const cell = make("td", { textContent: fixed(value, digits), className: start + i === mark ? "ringed" : "" });
        cell.style.background = fill;
        cell.style.color = ink;
        return cell;
      })));
    }
    return make("table", { className: `numbers ${className}` }, make("caption", {}, caption), make("tbody", {}, ...rows));
  };

  const agrees = ({ difference, stored }) => Math.abs(difference) <= 1e-5 * Math.max(1, Math.abs(stored));

  // The lines of an account, the last one the check: [[words, number, class?]].
  const account = (lines, terms, digits = 6) => {
    const row = ([what, number, className = ""]) =>
      make("tr", { className }, make("th", { scope: "row" }, what), make("td", { textContent: typeof number === "number" ? fixed(number, digits) : number }));
    return make("div", { className: "account" },
      make("table", {}, make("tbody", {}, ...lines.map(row),
        row([words("check.stored"), terms.stored, "stored"]))), checked(terms));
  };

  // The sentence that says whether what was computed here is what the network stored.
  const checked = (terms) => {
    const ok = agrees(terms);
    return make("p", { className: ok ? "check ok" : "check" },
      `${ok ? "\u2713" : "!"} ${words(terms.difference === 0 ? "check.same" : ok ? "check.equal" : "check.differs", { difference: tiny(Math.abs(terms.difference)) })}`);
  };

  // What follows after the sum, in the words of the layer's activation.
  const closing = (layer, terms) => {
    const lines = [];
    if (layer.bias) lines.push([words("sum.bias"), terms.bias], [words("sum.sum"), terms.sum, "total"]);
    if (layer.activation === "relu") lines.push([words("sum.relu"), terms.result, "result"]);
    else if (layer.activation === "softmax") lines.push([words("sum.softmax"), terms.result, "result"]);
    else lines.push([words(`sum.${layer.kind}`), terms.result, "result"]);
    return lines;
  };

  const added = (numbers) => numbers.reduce((sum, number) => sum + number, 0);

  // "0.992 · 0.311 + 0.500 · (-0.120) = 0.2485": every product written out.
  const writtenOut = ({ values, weights, products }, which) => {
    const one = (value) => (value === 0 ? "0" : fixed(value, 3));
    const signed = (value) => (value <= -0.0005 ? `(${one(value)})` : one(value));
    const written = which.map((i) => `${signed(values[i])}\u00a0\u00b7\u00a0${signed(weights[i])}`);
    return `${written.join(" + ")} = ${fixed(added(which.map((i) => products[i])), 4)}`;
  };

  // What a cell is made of, the largest part first: one entry per map under a window, else one per number.
  //   {source, rows, columns}: its first cell in the layer before and its extent; part: its products together; which: its terms
  const contributions = (model, index, terms) => {
    const layer = model.layers[index], { shape } = model.layers[index - 1];
    const groups = new Map();
    terms.sources.forEach((source, i) => {
      const key = layer.window ? source % shape[2] : i;
      if (!groups.has(key)) groups.set(key, { source, map: shape.length === 3 ? source % shape[2] : null, part: 0, which: [], last: source });
      const group = groups.get(key);
      group.part += terms.products[i];
      group.which.push(i);
      group.last = source;
    });
    for (const group of groups.values()) {
      const [first, last] = [group.source, group.last].map((source) => Digitscope.cellOf(shape, source));
      group.rows = shape.length === 3 ? last[0] - first[0] + 1 : 1;
      group.columns = shape.length === 3 ? last[1] - first[1] + 1 : 1;
    }
    return [...groups.values()].sort((a, b) => Math.abs(b.part) - Math.abs(a.part));
  };

  Object.assign(Digitscope, { contributions, numberTable, account, checked, closing, added, writtenOut, agrees });
})();
