// Words, numbers and elements: the small things every part of the page needs. It knows nothing about networks.
//
//   Digitscope.setStrings(table, language)       what strings.LANGUAGE.json says; how that language writes numbers follows
//   Digitscope.words(key, values) -> string      from that table, with {name} filled in
//   Digitscope.fixed(value, digits), percent(part, digits), count(n), listed(texts)   numbers as people write them
//   Digitscope.recounted(text) -> string         a text with numbers such as 18,496, which is how model.json writes them
//   Digitscope.frame() -> Promise at the beginning of the next frame, painted() -> Promise after it
//   Digitscope.make(name, properties, ...children) -> element          properties that are no DOM property are attributes

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const MINUS = "\u2212";
  let strings = {}, tongue = "en", point = ".";

  const setStrings = (table, language = "en") => {
    [strings, tongue] = [table, language];
    point = new Intl.NumberFormat(language).formatToParts(0.5).find(({ type }) => type === "decimal").value;
  };

  // With the decimal point of the language.
  const pointed = (text) => text.replace(".", point);

  const words = (key, values = {}) => {
    if (!(key in strings)) throw new Error(`no string "${key}"`);
    return strings[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);
  };

  const fixed = (value, digits = 2) => {
    const text = value.toFixed(digits);
    return pointed(Number(text) === 0 ? (0).toFixed(digits) : text.replace("-", MINUS));
  };

  // Short enough for a narrow cell: three figures, no needless zero.
  const short = (value) => {
    const size = Math.abs(value);
    if (size === 0) return "0";
    if (size >= 99.5) return fixed(value, 0);
    return size >= 9.95 ? fixed(value, 1) : fixed(value, 2);
  };

  // As short as it gets, for a cell of 22 pixels: two figures, nothing for 0.
  const tight = (value) => {
    const size = Math.abs(value);
    if (size === 0) return "";
    const text = size < 0.995 ? fixed(value, 2).replace(`0${point}`, point) : fixed(value, size < 9.95 ? 1 : 0);
    return text === `${point}00` ? "\u00b7" : text;
  };

  // A difference that is rounding: 3.1e-7 as people write it.
  const tiny = (value) => {
    if (value === 0) return "0";
    const [digits, power] = value.toExponential(1).split("e");
    const raised = [...power.replace("+", "")].map((sign) => "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"["-0123456789".indexOf(sign)]);
    return `${pointed(digits.replace("-", MINUS))} \u00b7 10${raised.join("")}`;
  };

  const percent = (part, digits = 1) => {
    const text = (100 * part).toFixed(digits);
    const written = (number) => words("percent", { n: pointed(number) });
    if (Number(text) === 100 && part < 1) return `> ${written((100 - 10 ** -digits).toFixed(digits))}`;
    if (Number(text) === 0 && part > 0) return `< ${written((10 ** -digits).toFixed(digits))}`;
    return written(text);
  };

  const count = (n) => n.toLocaleString(tongue);

  const recounted = (text) => text.replace(/\d{1,3}(,\d{3})+/g, (number) => count(Number(number.replaceAll(",", ""))));

  // A comma parts numbers only where it is not inside them.
  const listed = (texts) => texts.join(point === "," ? "; " : ", ");

  const make = (name, properties = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (value === null || value === undefined || value === false) continue;
      if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (key in made && key !== "list" && key !== "role") made[key] = value;
      else made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  };

  const frame = () => new Promise((next) => requestAnimationFrame(next));

  const painted = async () => {
    await frame();
    await new Promise((next) => setTimeout(next));
  };

  const icon = (path) => {
    const space = "http://www.w3.org/2000/svg";
    const made = document.createElementNS(space, "svg");
    const line = document.createElementNS(space, "path");
    made.setAttribute("viewBox", "0 0 20 20");
    made.setAttribute("aria-hidden", "true");
    made.setAttribute("class", "icon");
    line.setAttribute("d", path);
    made.append(line);
    return made;
  };

  // A group of buttons of which one is on.
  const choice = (label, options, chosen, act) => {
    const group = make("div", { className: "choice", role: "radiogroup", "aria-label": label });
    const buttons = options.map(([value, word]) => make("button", {
      type: "button", role: "radio", textContent: word, onclick: () => { group.choose(value); act(value); },
    }));
    group.choose = (value) => buttons.forEach((button, i) => {
      button.setAttribute("aria-checked", options[i][0] === value);
      button.tabIndex = options[i][0] === value ? 0 : -1;
    });
    group.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length];
      next.focus();
      next.click();
    });
    group.append(...buttons);
    group.choose(chosen);
    return group;
  };

  const toggle = (word, on, act) => {
    const box = make("input", { type: "checkbox", role: "switch", checked: on, onchange: () => act(box.checked) });
    const made = make("label", { className: "toggle" }, box, make("span", { className: "track" }), word);
    made.set = (value) => { box.checked = value; };
    made.enable = (possible) => { box.disabled = !possible; };
    return made;
  };

  Object.assign(Digitscope, { setStrings, words, fixed, short, tight, tiny, percent, count, recounted, listed, frame, painted, make, icon, choice, toggle });
})();
