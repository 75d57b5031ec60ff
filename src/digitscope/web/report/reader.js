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

  // Code that is wider than its place can be scrolled with the keyboard.
  const reach = new ResizeObserver((entries) => entries.forEach(({ target }) => {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }));
  document.querySelectorAll("pre").forEach((code) => reach.observe(code));

  // The gallery behind a cell of the confusion matrix gets the focus, so that the keyboard goes on from there.
  addEventListener("hashchange", () => {
    const gallery = document.querySelector(".behind:target");
    gallery?.focus({ preventScroll: true });
  });

  // On paper everything that is folded up is open, but for the questions, which have hand-outs of their own.
  addEventListener("beforeprint", () => {
    document.querySelectorAll("main details, .contents details").forEach((fold) => { fold.open = true; });
  });

  // Lines to write on below a question: three questions fill a page.
  const LINES = 7;

  // An address that ends in #handout-CHAPTER shows that chapter as a hand-out: see page.css.
  const sheet = document.querySelector(".sheet-bar");
  const title = document.title;
  const handOut = () => {
    const chapter = document.getElementById(location.hash.slice(1))?.closest(".questions")?.closest("section.chapter");
    document.documentElement.classList.toggle("as-handout", Boolean(chapter));
    document.querySelector(".handed")?.classList.remove("handed");
    if (!chapter) {
      document.title = title;
      return;
    }
    chapter.classList.add("handed");
    const figures = [".key-figure", "figure", ".table"].map((kind) => chapter.querySelector(kind));
    figures.find(Boolean)?.classList.add("key-figure");
    const chapters = [...document.querySelectorAll("section.chapter")];
    document.documentElement.style.setProperty("--chapters-before", chapters.indexOf(chapter));
    chapter.querySelector(".questions details").open = true;
    for (const question of chapter.querySelectorAll(".questions li:not(:has(i))")) {
      question.insertAdjacentHTML("beforeend", "<i></i>".repeat(LINES));
    }
    sheet.querySelector("a").hash = chapter.id;
    document.title = chapter.querySelector("h2").textContent;
    scrollTo(0, 0);
  };
  sheet.querySelector("button").addEventListener("click", () => print());
  addEventListener("hashchange", handOut);
  handOut();

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
