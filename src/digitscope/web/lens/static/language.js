// In which language the page speaks: the one chosen on an earlier visit, else the first of the browser's that is in the page,
// else English. Which languages are in the page is decided when it is made (web/lens/bundle.py).
//
//   Digitscope.languages() -> ["en", "de"]; Digitscope.language() -> "de"
//   Digitscope.languageMenu() -> element | null   null: there is nothing to choose

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const KEPT = "language";

  // Read at once: later the page's elements are replaced.
  const held = [...document.querySelectorAll('script[data-file^="strings."]')].map(({ dataset }) => dataset.file.split(".")[1]);

  const language = () => [Digitscope.kept(KEPT), ...navigator.languages.map((tag) => tag.split("-")[0])].find((one) => held.includes(one)) ?? "en";

  const languageMenu = () => {
    if (held.length < 2) return null;
    const { make, words } = Digitscope;
    const named = (one) => new Intl.DisplayNames([one], { type: "language" }).of(one);
    return make("select", {
      className: "languages", title: words("language"), "aria-label": words("language"),
      onchange: (event) => { Digitscope.keep(KEPT, event.target.value); location.reload(); },
    }, ...held.map((one) => make("option", { value: one, lang: one, selected: one === language(), textContent: named(one) })));
  };

  Object.assign(Digitscope, { languages: () => held, language, languageMenu });
})();
