// What one sees as a file: PNG and SVG pictures, CSV tables, and the field as text for the clipboard. It changes nothing.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { words, fixed, percent, cellOf, isMaps, nameOf, mapOf } = Digitscope;
  const SIDE = 28;

  const save = (name, content, type) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  const escaped = (text) => String(text).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;" })[sign]);

  // Tables

  const lines = (rows) => `${rows.map((row) => row.map((cell) => (/[",\n]/.test(cell) ? `"${String(cell).replace(/"/g, "\"\"")}"` : cell)).join(",")).join("\n")}\n`;

  // A number: its terms. A map: its cells as they stand. The whole network: every cell of every layer but the input.
  const csv = (app) => {
    const { state: { place }, model, run } = app;
    const layer = model.layers[place.layer];
    if (place.depth === 2) {
      const terms = app.terms(place.layer, place.cell), before = model.layers[Math.max(0, place.layer - 1)];
      const rows = Array.from(terms.sources, (source, i) => [cellOf(before.shape, source).join(" "), terms.values[i], terms.weights[i], terms.products[i]]);
      return lines([["source", "value", "weight", "product"], ...rows, ["bias", "", "", terms.bias], ["sum", "", "", terms.sum],
        ["result", "", "", terms.result], ["stored", "", "", terms.stored], ["difference", "", "", terms.difference]]);
    }
    if (place.depth === 1 && isMaps(layer)) {
      const [height, width, maps] = layer.shape, map = mapOf(layer, place.cell), values = app.shown(place.layer);
      return lines(Array.from({ length: height }, (_, row) => Array.from({ length: width }, (_, column) => values[(row * width + column) * maps + map])));
    }
    const wanted = place.depth === 1 ? [place.layer] : model.layers.keys();
    const rows = [["layer", "row", "column", "channel", "sum", "value"]];
    for (const index of wanted) {
      const { values, sums } = run.layers[index], one = model.layers[index];
      values.forEach((value, cell) => {
        const parts = cellOf(one.shape, cell);
        rows.push([one.name, ...(parts.length === 3 ? parts : ["", "", parts[0]]), sums ? sums[cell] : "", value]);
      });
    }
    return lines(rows);
  };

  const pixelText = (app, what) => {
    const { field, state: { raw } } = app;
    const number = (ink) => (raw ? `${Math.round(255 * ink)}` : `${Number(ink.toFixed(4))}`);
    const rows = Array.from({ length: SIDE }, (_, row) => Array.from(field.subarray(row * SIDE, (row + 1) * SIDE), number));
    if (what === "csv") return lines(rows);
    const inner = rows.map((row) => `    [${row.join(", ")}],`).join("\n");
    return `numpy.array([\n${inner}\n], dtype=numpy.${raw ? "uint8" : "float32"})\n`;
  };

  // Pictures: every one is an SVG; a PNG is that SVG, drawn.

  const styles = () => {
    const read = getComputedStyle(document.body);
    const probe = document.createElement("span");
    document.body.append(probe);
    const colour = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    const found = { page: read.backgroundColor, ink: colour("ink"), quiet: colour("quiet"), accent: colour("accent"), line: colour("line"), font: "system-ui, 'Segoe UI', Roboto, sans-serif" };
    probe.remove();
    return found;
  };

  const text = (x, y, content, { size = 12, fill, weight = 400, anchor = "start" }) =>
    `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}" text-anchor="${anchor}">${escaped(content)}</text>`;

  const wrapped = (width, height, look, title, body) => `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${look.font}">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" fill="${look.page}"/>
${body}
</svg>
`;

  // The whole network as it stands on the page.
  const networkPicture = (app, look) => {
    const parts = [];
    let x = 24, height = 0;
    for (const { layer, part, index } of app.network.columns) {
      const canvas = part.canvas;
      const [wide, high] = canvas ? [canvas.width * part.scale, canvas.height * part.scale] : [150, 240];
      parts.push(text(x, 66, nameOf(layer), { size: 13, weight: 650, fill: look.ink }), text(x, 84, layer.shape.join(" \u00d7 "), { fill: look.quiet }));
      if (canvas) parts.push(`<image x="${x}" y="100" width="${wide}" height="${high}" href="${canvas.toDataURL()}" image-rendering="pixelated" style="image-rendering:pixelated"/>`);
      else parts.push(bars(app, x, 100, look));
      const { low, high: most } = app.ranges[index];
      parts.push(text(x, 118 + high, `${fixed(low)} \u2026 ${fixed(most)}`, { fill: look.quiet }));
      height = Math.max(height, high);
      x += Math.max(92, wide) + 20;
    }
    return wrapped(Math.round(x + 4), Math.round(height + 140), look, words("export.title"), text(24, 36, app.outcomeSentence(), { size: 17, weight: 650, fill: look.ink }) + parts.join("\n"));
  };

  const bars = (app, x, y, look) => Array.from(app.outcome.probabilities, (share, digit) =>
    text(x, y + 15 + 24 * digit, digit, { fill: look.ink, weight: 650 })
    + `<rect x="${x + 16}" y="${y + 5 + 24 * digit}" width="78" height="11" rx="2" fill="${look.line}"/><rect x="${x + 16}" y="${y + 5 + 24 * digit}" width="${78 * share}" height="11" rx="2" fill="${look.accent}"/>`
    + text(x + 150, y + 15 + 24 * digit, percent(share), { fill: look.ink, anchor: "end" })).join("");

  // One map, cell by cell, every cell with its number.
  const mapPicture = (app, look) => {
    const { state: { place }, model } = app;
    const layer = model.layers[place.layer], maps = isMaps(layer) ? layer.shape[2] : 1;
    const columns = isMaps(layer) ? layer.shape[1] : Math.min(16, layer.shape[0]);
    const values = app.shown(place.layer), map = mapOf(layer, place.cell), limit = app.ranges[place.layer].limits[maps > 1 ? map : 0];
    const rows = Math.ceil(values.length / maps / columns), side = 34;
    const cells = [];
    for (let i = 0; i < rows * columns && i * maps + map < values.length; i++) {
      const value = values[i * maps + map];
      const { fill, ink } = Digitscope.shade(place.layer ? "signed" : "grey", limit ? value / limit : 0);
      const [x, y] = [24 + i % columns * side, 60 + Math.floor(i / columns) * side];
      cells.push(`<rect x="${x}" y="${y}" width="${side}" height="${side}" fill="${fill}"/>`, text(x + side / 2, y + side / 2 + 3.5, Digitscope.short(value), { size: 10, fill: ink, anchor: "middle" }));
    }
    const title = isMaps(layer) ? words("maps.map", { layer: nameOf(layer), unit: Digitscope.unitWord(layer), map }) : nameOf(layer);
    return wrapped(48 + columns * side, 84 + rows * side, look, title, text(24, 36, title, { size: 15, weight: 650, fill: look.ink }) + cells.join("\n"));
  };

  const svg = (app) => (app.state.place.depth ? mapPicture : networkPicture)(app, styles());

  const png = async (app) => {
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg(app))}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = 2 * image.width;
    canvas.height = 2 * image.height;
    const brush = canvas.getContext("2d");
    brush.imageSmoothingEnabled = false;
    brush.drawImage(image, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
  };

  const exportAs = async (app, kind) => {
    const { place } = app.state;
    const name = `digitscope-${place.depth ? app.model.layers[place.layer].name : "network"}${place.depth === 2 ? "-number" : ""}.${kind}`;
    if (kind === "csv") save(name, csv(app), "text/csv");
    else if (kind === "svg") save(name, svg(app), "image/svg+xml");
    else save(name, await png(app));
    app.say(words("export.saved", { name }));
  };

  Object.assign(Digitscope, { exportAs, pixelText });
})();
