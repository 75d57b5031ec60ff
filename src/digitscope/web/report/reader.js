// What helps the reader: which tables scroll, where the contents are, what opens on paper, and the way to the live page.

"use strict";

(() => {
  // The live page finds this tab again by its name, as this page finds the live page's (target="digitscope-page").
  window.name = "digitscope-report";

  // A table or figure that is wider than its place says so.
  const scrollers = document.querySelectorAll(".scroller");
  const mark = (scroller) => scroller.classList.toggle("scrolls", scroller.scrollWidth > scroller.clientWidth + 1);
  const watch = new ResizeObserver((entries) => entries.forEach(({ target }) => mark(target)));
  scrollers.forEach((scroller) => watch.observe(scroller));

  // The gallery behind a cell of the confusion matrix gets the focus, so that the keyboard goes on from there.
  addEventListener("hashchange", () => {
    const gallery = document.querySelector(".behind:target");
    gallery?.focus({ preventScroll: true });
  });

  addEventListener("beforeprint", () => {
    document.querySelectorAll("main details, .contents details").forEach((fold) => { fold.open = true; });
  });

  // The table of contents is folded up where it would push the story down, and marks the chapter that is being read.
  if (!matchMedia("(min-width: 76rem)").matches) document.querySelector(".contents details").open = false;
  const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
  const reading = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      links.forEach((link) => link.removeAttribute("aria-current"));
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-15% 0px -80% 0px" });
  document.querySelectorAll("section.chapter").forEach((section) => reading.observe(section));
})();
