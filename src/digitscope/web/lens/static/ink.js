// From a photo of digits to their ink: what the pen left, without paper, light, ruling and dust. It recognises nothing.
//
//   Digitscope.findInk(image) -> {ink, digits: [{left, top, right, bottom, ink}]}
//     image: ImageData, longer side at most about 640; ink: a plane, 0 = paper, 1 = pen, of the picture and of each digit's box;
//     digits in reading order, none if nothing is written
//
// The main path of digitscope/preprocessing (contrast.py, ink.py, printed_lines.py) with the same constants, which are
// explained there. tests/web/test_picture.py states how often the fields agree.

"use strict";

globalThis.Digitscope ??= {};

(() => {
  const { plane, mapped, masked, cut, resized, reduced, blurred, gaussian, dilated, eroded, partsOf, distances, quantile } = Digitscope;
  const COARSE = 64, MIDDLE = 200, NARROW = 12;
  // Everything wider than `reach` is paper, and the usual colour is taken from a window of a `window`-th: shares of the longer
  // side, the first at most a share of the shorter one, because a picture may be a line of digits.
  const ONE = { reach: 0.33, most: 0.5, window: 4 }; // a digit that fills its picture
  const SEVERAL = { reach: 0.1, most: 0.5, window: 10 }; // digits beside and above one another: less than half as high
  const SHADE = 0.01; // of the picture is in shadow, at least
  const DARKEST = 16; // level below which noise and not light makes the differences
  const FAINT = 10, NOISE = 5;
  const PEN = 0.75, CORE = 0.5, EDGE = 0.25;
  const RIM = 0.2, NEAR_RIM = 0.06;
  const SPECK = 0.06, SPECK_BESIDE = 0.12;
  const BLOT = 0.5;
  const LINE_RUN = 0.15, LINE_LENGTH = 0.7, LINE_WIDTH = 0.12, LINE_TILT = 0.2, LINE_RIM = 0.25, LINE_BEND = 0.006, RULED = 4;
  const FAINTER = 0.4, DARK = 0.9;
  const TALL = 0.6, FLAT = 0.45, APART = 0.25; // shares of the tallest: longer side and height of a digit at least; the smallest gap between two
  const ABOVE = 0.4, BESIDE = 0.3; // pieces above one another share so much of the narrower's width, and less of the lower's height
  const SOFT = [0.5, 0.25];

  // Contrast

  // Levels 0..255 on a scale of shares: a shadow that takes half of the light takes as many of its steps from paper as from ink.
  const byShares = (source) => mapped(source, (level) => 255 * Math.log1p(level / DARKEST) / Math.log1p(255 / DARKEST));

  const channels = ({ width, height, data }) => [0, 1, 2].map((c) => mapped(plane(width, height), (_, i) => data[4 * i + c]));

  // The median of a square of `2 * reach + 1` around each pixel of 0..255, mirrored at the rim.
  const medians = ({ width, height, values }, reach) => {
    const at = (place, length) => {
      const around = ((place % (2 * length)) + 2 * length) % (2 * length);
      return around < length ? around : 2 * length - 1 - around;
    };
    const half = (2 * reach + 1) ** 2 / 2, found = plane(width, height);
    for (let y = 0; y < height; y++) {
      const counts = new Int32Array(256);
      const column = (x, by) => {
        for (let v = y - reach; v <= y + reach; v++) counts[values[at(v, height) * width + at(x, width)]] += by;
      };
      for (let x = -reach; x < reach; x++) column(x, 1);
      for (let x = 0; x < width; x++) {
        column(x + reach, 1);
        let level = -1;
        for (let sum = 0; sum < half;) sum += counts[++level];
        found.values[y * width + x] = level;
        column(x - reach, -1);
      }
    }
    return found;
  };

  // The direction, of three channels, in which most of what they hold lies.
  const mainDirection = (away) => {
    const products = away.map((one) => away.map((other) => one.values.reduce((sum, value, i) => sum + value * other.values[i], 0)));
    let direction = [0.5, 0.6, 0.62];
    for (let turn = 0; turn < 60; turn++) {
      const next = products.map((row) => row.reduce((sum, product, c) => sum + product * direction[c], 0));
      const length = Math.hypot(...next);
      if (!(length > 0)) break;
      direction = next.map((part) => part / length);
    }
    return direction;
  };

  const along = ([red, green, blue], [r, g, b]) => mapped(red, (value, i) => value * r + green.values[i] * g + blue.values[i] * b);

  const less = (one, other) => mapped(one, (value, i) => value - other.values[i]);

  // Colours as one grey that grows towards the pen, which is rarer than its paper.
  const towardsPen = (planes, away) => {
    const grey = planes.every(({ values }) => values.every((value, i) => value === planes[0].values[i]));
    const direction = grey ? [1, 0, 0] : mainDirection(away);
    const skew = blurred(along(away, direction), SOFT).values.reduce((sum, value) => sum + value ** 3, 0);
    return along(planes, skew > 0 ? direction : direction.map((part) => -part));
  };

  // What is wider than any stroke: paper, light and shadow.
  const openedAt = (middle, { reach, most }) => {
    const { width, height } = middle, stroke = Math.max(1, Math.round(Math.min(reach * Math.max(width, height), most * Math.min(width, height))));
    return dilated(eroded(middle, stroke), stroke + 2);
  };

  const contrastOf = (planes, scale) => {
    const small = planes.map((one) => mapped(reduced(one, COARSE), Math.round));
    const reach = Math.floor(Math.max(small[0].width, small[0].height) / scale.window);
    const grey = towardsPen(planes, small.map((one) => less(one, medians(one, reach))));
    const middle = blurred(reduced(grey, MIDDLE), SOFT), opened = openedAt(middle, scale);
    const contrast = less(grey, resized(opened, grey.width, grey.height));
    const usual = quantile(contrast.values, 0.5);
    return { middle, opened, contrast: mapped(contrast, (value) => value - usual) };
  };

  // Whether some of what is too wide for the strokes of several digits is a shadow, which reaches the rim, and none of it a thick pen.
  const isShaded = ({ middle, opened }) => {
    const wider = openedAt(middle, ONE).values, { width, height } = middle;
    const { parts } = partsOf(masked(opened, (value, i) => value - wider[i] > FAINT));
    const large = parts.filter(({ area }) => area > SHADE * width * height);
    return large.length > 0 && large.every(({ left, top, right, bottom }) => left === 0 || top === 0 || right === width || bottom === height);
  };

  const grainOf = (contrast) => {
    const smooth = blurred(contrast, gaussian(2));
    return 1.4826 * quantile(contrast.values.map((value, i) => Math.abs(value - smooth.values[i])), 0.5);
  };

  // Parts

  const chosen = (mask, { labels }, keep) => masked(mask, (_, i) => labels[i] > 0 && keep[labels[i] - 1]);

  // Without specks, and without strips along the rim: shares of the shorter side, because a picture may be a line of digits.
  const digitParts = (mask) => {
    const { width, height } = mask, side = Math.min(width, height), found = partsOf(mask);
    const rim = Math.round(RIM * side), reach = NEAR_RIM * side;
    const inside = new Int32Array(found.parts.length);
    for (let y = rim; y < height - rim; y++) {
      for (let x = rim; x < width - rim; x++) if (found.labels[y * width + x]) inside[found.labels[y * width + x] - 1]++;
    }
    const length = found.parts.map((part, i) => {
      const touching = part.left < reach || part.top < reach || part.right > width - reach || part.bottom > height - reach;
      return touching && inside[i] < 0.1 * part.area ? 0 : Math.max(part.right - part.left, part.bottom - part.top);
    });
    const least = Math.max(SPECK * side, SPECK_BESIDE * Math.max(0, ...length));
    return chosen(mask, found, length.map((one) => one >= least));
  };

  // Printed lines: long level runs that are too straight for a digit, along a rim or across the picture.

  const turned = ({ width, height, values }) =>
    masked(plane(height, width), (_, i) => values[i % height * width + Math.floor(i / height)]);

  const levelLines = (mask) => {
    const { width, height, values } = mask;
    const run = Math.max(3, Math.round(LINE_RUN * width));
    const thicker = masked(mask, (value, i) => value || values[i - width] || values[i + width]);
    const long = new Uint8Array(values.length);
    for (let y = 0; y < height; y++) {
      for (let x = 0, length = 0; x < width; x++) {
        length = thicker.values[y * width + x] ? length + 1 : 0;
        if (length >= run) long.fill(1, y * width + x - (length > run ? 0 : run - 1), y * width + x + 1);
      }
    }
    const { labels, parts } = partsOf(masked(mask, (value, i) => value && long[i]));
    const lines = plane(width, height, new Uint8Array(values.length));
    lines.count = parts.filter((part) => part.right - part.left > LINE_LENGTH * width && rule(lines, labels, part)).length;
    return lines;
  };

  // Marks a part in `lines` if it is a line, and says whether it is: a straight one is fitted where the part has its usual thickness.
  const rule = (lines, labels, { label, left, right, top, bottom }) => {
    const { width, height, values } = lines, columns = [];
    for (let x = left; x < right; x++) {
      let thick = 0, sum = 0;
      for (let y = top; y < bottom; y++) if (labels[y * width + x] === label) { thick++; sum += y; }
      if (thick) columns.push({ x, thick, middle: sum / thick });
    }
    const usual = quantile(columns.map(({ thick }) => thick), 0.5);
    const plain = columns.filter(({ thick }) => thick <= 1.5 * usual);
    const mean = (pick) => plain.reduce((sum, one) => sum + pick(one), 0) / plain.length;
    const [x, y] = [mean((one) => one.x), mean((one) => one.middle)];
    const slope = mean((one) => (one.x - x) * (one.middle - y)) / (mean((one) => (one.x - x) ** 2) || 1);
    const course = (column) => y + slope * (column - x);
    const [high, low] = [Math.min(course(0), course(width - 1)) - usual / 2, Math.max(course(0), course(width - 1)) + usual / 2];
    const border = low <= LINE_RIM * height || high >= (1 - LINE_RIM) * height;
    const outside = high < NEAR_RIM * height || low > (1 - NEAR_RIM) * height;
    const across = left < NEAR_RIM * width && right > (1 - NEAR_RIM) * width;
    const bend = Math.sqrt(mean((one) => (one.middle - course(one.x)) ** 2));
    if (bend >= LINE_BEND * width || Math.abs(slope) >= LINE_TILT * height / width) return false;
    if (!((across && usual < LINE_WIDTH * height) || (border && (across || outside)))) return false;
    for (let column = 0; column < width; column++) {
      const reach = usual / 2 + 2, from = Math.max(0, Math.ceil(course(column) - reach));
      for (let row = from; row <= Math.min(height - 1, course(column) + reach); row++) values[row * width + column] = 1;
    }
    return true;
  };

  const sidesTouched = ({ width, height, values }) => {
    const any = (start, step, n) => Array.from({ length: n }).some((_, i) => values[start + i * step]);
    return any(0, 1, width) + any((height - 1) * width, 1, width) + any(0, width, height) + any(width - 1, width, height);
  };

  // Without lines, strips and specks; strokes that cross a line stay whole. What touches several sides even so was no line's.
  const withoutLines = (mask) => {
    const across = levelLines(mask), down = levelLines(turned(mask)), level = across.values, upright = turned(down).values;
    const lines = masked(mask, (_, i) => level[i] || upright[i]);
    const rest = masked(mask, (value, i) => value && !lines.values[i]);
    const bridge = 2 * Math.round(largest(distances(lines))) + 3;
    const bridged = eroded(dilated(rest, bridge), bridge).values;
    const kept = digitParts(masked(mask, (value, i) => rest.values[i] || (bridged[i] && lines.values[i] && value)));
    return { kept, lines: across.count + down.count, whole: sidesTouched(kept) > 1 ? digitParts(mask) : kept };
  };

  // Digits

  const largest = (values) => values.reduce((most, value) => Math.max(most, value), 0);

  const grown = (mask) => dilated(mask, 3);

  const isBlot = (mask) => 2 * largest(distances(cut(mask, -1, -1, mask.width + 2, mask.height + 2))) > BLOT * Math.max(mask.width, mask.height);

  const inkParts = (contrast, writing, floor) => {
    const pen = quantile(contrast.values.filter((_, i) => writing.values[i]), PEN);
    const least = Math.max(EDGE * pen, Math.min(floor, CORE * pen)), near = grown(writing).values;
    const reach = masked(contrast, (value, i) => value > least && near[i]);
    const found = partsOf(reach), holds = new Uint8Array(found.parts.length);
    found.labels.forEach((label, i) => { if (label && writing.values[i] && contrast.values[i] > CORE * pen) holds[label - 1] = 1; });
    return { pen, kept: digitParts(chosen(reach, found, holds)) };
  };

  const joined = (parts) => ({
    labels: parts.flatMap(({ label, labels }) => labels ?? [label]),
    left: Math.min(...parts.map(({ left }) => left)), right: Math.max(...parts.map(({ right }) => right)),
    top: Math.min(...parts.map(({ top }) => top)), bottom: Math.max(...parts.map(({ bottom }) => bottom)),
  });

  const height = ({ top, bottom }) => bottom - top;
  const width = ({ left, right }) => right - left;

  // Pieces above one another belong together, as the bar of a 5 and its bowl.
  const gathered = (parts) => {
    const tallest = Math.max(...parts.map(height));
    const belong = (one, other) => {
      const across = Math.min(one.right, other.right) - Math.max(one.left, other.left), gap = Math.max(one.top, other.top) - Math.min(one.bottom, other.bottom);
      const low = Math.min(height(one), height(other));
      return across >= ABOVE * Math.min(width(one), width(other)) && gap <= APART * tallest && (low < TALL * tallest || gap > -BESIDE * low);
    };
    const groups = parts.map((part) => joined([part]));
    for (let i = 0; i < groups.length; i++) {
      const other = groups.findIndex((group, j) => j > i && belong(groups[i], group));
      if (other < 0) continue;
      groups[i] = joined([groups[i], groups[other]]);
      groups.splice(other, 1);
      i = -1;
    }
    return groups;
  };

  // In the order in which one reads: line by line, from the left.
  const inLines = (groups) => {
    const lines = [];
    for (const group of [...groups].sort((a, b) => a.top - b.top)) {
      const line = lines.find((one) => (group.top + group.bottom) / 2 < one.bottom);
      if (line) {
        line.groups.push(group);
        line.bottom = Math.max(line.bottom, group.bottom);
      } else lines.push({ bottom: group.bottom, groups: [group] });
    }
    return lines.map((line) => line.groups.sort((a, b) => a.left - b.left));
  };

  // One digit, unless pieces as high as digits stand far apart, or together at least as wide as high.
  const parted = (parts) => {
    const groups = gathered(parts), tallest = Math.max(...groups.map(height));
    const lines = inLines(groups.filter((group) => height(group) >= FLAT * tallest && Math.max(height(group), width(group)) >= TALL * tallest));
    const [line] = lines;
    const gaps = line.slice(1).map((group, i) => group.left - line[i].right);
    const several = lines.length > 1 || (gaps.length > 0 && (Math.max(...gaps) >= APART * tallest || line.at(-1).right - line[0].left >= tallest));
    return several ? lines.flat() : [joined(parts)];
  };

  // What of the ink belongs to these parts, in the box round them.
  const cutOut = (ink, kept, labels, { labels: own, ...box }) => {
    const [wide, high] = [width(box), height(box)], place = (i) => (box.top + Math.floor(i / wide)) * ink.width + box.left + i % wide;
    const mask = masked(plane(wide, high), (_, i) => kept.values[place(i)] && own.includes(labels[place(i)]));
    const near = grown(mask).values;
    return { ...box, blot: isBlot(mask), ink: mapped(mask, (_, i) => (near[i] ? ink.values[place(i)] : 0)) };
  };

  // Light that falls unevenly on several digits asks for another look than a digit that fills its picture. That look breaks a thick
  // digit up, so where the usual one finds a single digit, it counts only if there is a shadow.
  Digitscope.findInk = (image) => {
    const planes = channels(image), shaded = isShaded(contrastOf(planes, SEVERAL)), usual = inkIn(contrastOf(planes, ONE).contrast);
    if (!shaded && usual.digits.length === 1) return usual;
    const found = inkIn(contrastOf(planes.map(byShares), SEVERAL).contrast);
    return found.digits.length > (shaded ? 1 : Math.max(1, usual.digits.length)) ? found : usual;
  };

  // Between several digits, ruling that is fainter than the pen is told by that; else lines are looked for.
  const inkIn = (contrast) => {
    const floor = Math.max(FAINT, NOISE * grainOf(contrast)), marks = masked(contrast, (value) => value > floor);
    if (Math.min(contrast.width, contrast.height) <= NARROW) return inkOf(contrast, digitParts(marks), floor);
    const { kept, lines, whole } = withoutLines(marks), found = inkOf(contrast, whole, floor);
    const above = Math.max(floor, FAINTER * quantile(contrast.values.filter((_, i) => marks.values[i]), DARK));
    const darker = withoutLines(masked(contrast, (value) => value > above)).kept;
    const ways = [sidesTouched(darker) < 2 && [darker, above], lines >= RULED && [kept, floor]].filter(Boolean);
    return ways.map(([writing, least]) => inkOf(contrast, writing, least)).find(({ digits }) => digits.length > (lines || kept !== whole ? 1 : Math.max(1, found.digits.length))) ?? found;
  };

  const inkOf = (contrast, writing, floor) => {
    const nothing = { ink: mapped(contrast, () => 0), digits: [] };
    if (!writing.values.some(Boolean)) return nothing;
    const { pen, kept } = inkParts(contrast, writing, floor);
    const { labels, parts } = partsOf(kept);
    if (!parts.length) return nothing;
    const near = grown(kept).values, ink = mapped(contrast, (value, i) => (near[i] ? Math.min(1, Math.max(0, value / pen)) : 0));
    return { ink, digits: parted(parts).map((digit) => cutOut(ink, kept, labels, digit)).filter(({ blot }) => !blot) };
  };
})();
