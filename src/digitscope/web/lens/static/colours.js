// Numbers as colours: orange above zero, blue below, paper at zero; pixels as grey. It knows light and dark, and no network.
//
//   Digitscope.colours() -> {signed, grey}   tables of 511 and 256 colours, each Uint32 of ABGR, of the theme in use
//   Digitscope.theme() -> "light" | "dark"; setTheme(name | null), null: as the system has it; keepTheme(): for the next visit
//   Digitscope.shade(kind, part) -> {fill, ink}   CSS colours of a cell and of a number written on it
//
// Source of the colours: ColorBrewer's PuOr and RdBu, as in every figure of Digitscope; small values are lifted.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const AT = [0, 0.08, 0.25, 0.5, 0.75, 1];
  const STOPS = {
    light: {
      above: ["#f4f2ee", "#fbe1bd", "#fdb863", "#e08214", "#b35806", "#7f3b08"],
      below: ["#f4f2ee", "#d1e5f0", "#92c5de", "#4393c3", "#2166ac", "#053061"],
    },
    dark: {
      above: ["#2b2f35", "#4d3926", "#86521d", "#d07a1f", "#f6ae62", "#ffe6c6"],
      below: ["#2b2f35", "#27405a", "#2b638f", "#4798cf", "#93c8ec", "#e0f1ff"],
    },
  };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const tables = {}, shades = new Map();
  const NAMES = ["light", "dark"];
  let chosen = null;

  const theme = () => chosen ?? (system.matches ? "dark" : "light");

  const setTheme = (name) => {
    chosen = name;
    document.documentElement.style.colorScheme = name ?? "light dark";
  };

  const chosenTheme = () => chosen;

  const keepTheme = () => Digitscope.keep("theme", chosen);

  const before = Digitscope.kept("theme");
  if (NAMES.includes(before)) setTheme(before);

  const channels = (hex) => [1, 3, 5].map((start) => parseInt(hex.slice(start, start + 2), 16));

  const between = (stops, part) => {
    const high = Math.max(1, AT.findIndex((at) => at >= part));
    const share = (part - AT[high - 1]) / (AT[high] - AT[high - 1]);
    const [from, to] = [channels(stops[high - 1]), channels(stops[high])];
    return from.map((value, i) => Math.round(value + (to[i] - value) * share));
  };

  const packed = ([r, g, b]) => (255 << 24 | b << 16 | g << 8 | r) >>> 0;

  const colours = () => {
    const name = theme();
    tables[name] ??= {
      signed: Uint32Array.from({ length: 511 }, (_, i) =>
        packed(between(i < 255 ? STOPS[name].below : STOPS[name].above, Math.abs(i - 255) / 255))),
      grey: Uint32Array.from({ length: 256 }, (_, i) => packed([i, i, i])),
    };
    return tables[name];
  };

  const colourOf = (kind, part) => {
    if (kind === "grey") return colours().grey[Math.round(255 * Math.min(1, Math.max(0, part)))];
    return colours().signed[255 + Math.round(255 * Math.min(1, Math.max(-1, part || 0)))];
  };

  const luminance = (rgb) => rgb
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);

  const shade = (kind, part) => {
    const colour = colourOf(kind, part);
    if (!shades.has(colour)) {
      const rgb = [colour & 255, colour >> 8 & 255, colour >> 16 & 255];
      shades.set(colour, { fill: `rgb(${rgb.join(" ")})`, ink: luminance(rgb) > 0.18 ? "#000" : "#fff" });
    }
    return shades.get(colour);
  };

  Object.assign(Digitscope, { theme, chosenTheme, setTheme, keepTheme, colours, colourOf, shade, onTheme: (act) => system.addEventListener("change", act) });
})();
