// Where one looks, and the address that says so. Changing it is main.js's business.
//
//   place: {depth: 0 whole network | 1 one map | 2 one number, layer, cell, from}
//     cell: flat index in the layer, channels last; from: which map of the layer before is shown beside it, null in an address
//     that leaves it to the page
//   panel: "why", "errors" or null: what the stage shows instead of the network; against: the digit that it compares the answer with
//   stage: of the training, whose weights are on the screen, as in course.js; null: the finished network
//   Digitscope.packPlace(state) -> "#..."    Digitscope.unpackPlace(hash, model) -> parts of a state that are valid
//   Digitscope.strongest(values) -> cell with the largest value
//   Digitscope.unitWord(layer) -> "filter" | "map" | "unit" ...; Digitscope.nameOf(layer) -> "conv 1"

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const PANELS = ["why", "errors"];
  const SCALES = ["map", "layer", "network"];

  const strongest = (values) => values.reduce((best, value, cell) => (value > values[best] ? cell : best), 0);

  const isMaps = (layer) => layer.shape.length === 3;
  const mapOf = (layer, cell) => (isMaps(layer) ? cell % layer.shape[2] : 0);
  const nameOf = (layer) => layer.name.replace(/([a-z])_?(\d+)$/i, "$1 $2");

  const unitWord = (layer) => Digitscope.words(`unit.${layer.kind === "dense" && layer.activation === "softmax" ? "digit" : layer.kind}`);

  const cellText = (layer, cell) => {
    const parts = Digitscope.cellOf(layer.shape, cell);
    return parts.length === 3 ? parts.join(".") : `${parts[0]}`;
  };

  const cellFrom = (layer, text) => {
    const parts = text.split(".").map(Number);
    const fits = parts.length === layer.shape.length && parts.every((part, i) => Number.isInteger(part) && part >= 0 && part < layer.shape[i]);
    return fits ? Digitscope.flatIndex(layer.shape, parts) : null;
  };

  const mapsBefore = ({ layers }, layer) => (layer ? layers[layer - 1].shape[2] ?? 1 : 1);

  const packPlace = ({ drawing, place, prepare, view, scale, raw, tour, panel, against, stage }, model) => {
    const parts = new URLSearchParams();
    const layer = model.layers[place.layer];
    if (panel) {
      parts.set("panel", panel);
      if (panel === "why" && against !== null) parts.set("against", against);
    } else if (place.depth) {
      parts.set(place.depth === 1 ? "map" : "number", `${layer.name},${cellText(layer, place.cell)}`);
      if (place.from || mapsBefore(model, place.layer) > 1) parts.set("from", place.from);
    }
    if (stage !== null) parts.set("stage", stage);
    if (tour !== null) parts.set("tour", tour + 1);
    if (view === "sum") parts.set("view", "sum");
    if (scale !== "layer") parts.set("scale", scale);
    if (!raw) parts.set("pixels", "scaled");
    const off = Object.keys(prepare).filter((step) => !prepare[step]);
    if (off.length) parts.set("without", off.join("."));
    parts.set("draw", Digitscope.packDrawing(drawing));
    return `#${parts.toString().replace(/%2C/g, ",")}`;
  };

  const placeFrom = (parts, model) => {
    const depth = parts.has("number") ? 2 : parts.has("map") ? 1 : 0;
    if (!depth) return null;
    const [name, text = ""] = (parts.get("number") ?? parts.get("map")).split(",");
    const layer = model.layers.findIndex((one) => one.name === name);
    const cell = layer < 0 ? null : cellFrom(model.layers[layer], text);
    if (cell === null) return null;
    const from = Math.min(mapsBefore(model, layer) - 1, Math.max(0, Math.trunc(Number(parts.get("from"))) || 0));
    return { depth, layer, cell, from: parts.has("from") ? from : null };
  };

  const unpackPlace = (hash, model) => {
    const parts = new URLSearchParams(hash.slice(1));
    const off = (parts.get("without") ?? "").split(".");
    const tour = Number(parts.get("tour")) - 1;
    const against = /^\d$/.test(parts.get("against")) ? Number(parts.get("against")) : null;
    return {
      drawing: parts.has("draw") ? Digitscope.unpackDrawing(parts.get("draw")) : null,
      place: placeFrom(parts, model),
      prepare: { fit: !off.includes("fit"), pen: !off.includes("pen"), centre: !off.includes("centre") },
      view: parts.get("view") === "sum" ? "sum" : "value",
      scale: SCALES.includes(parts.get("scale")) ? parts.get("scale") : "layer",
      raw: parts.get("pixels") !== "scaled",
      panel: PANELS.includes(parts.get("panel")) ? parts.get("panel") : null,
      against,
      stage: parts.get("stage"),
      tour: Number.isInteger(tour) && tour >= 0 && tour < 10 ? tour : null,
    };
  };

  Object.assign(Digitscope, { strongest, isMaps, mapOf, nameOf, unitWord, packPlace, unpackPlace });
})();
