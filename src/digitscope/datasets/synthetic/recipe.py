"""The settings of synthetic lines: every share, range and spread from which they are drawn.

The same values, seed and number give the same line. Lengths are in digit heights unless another unit is named; times
a digit height is ``glyphs.SIZE`` pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Range = tuple[float, float]
"""Lowest and highest of a uniform draw."""

Normal = tuple[float, float]
"""Mean and standard deviation of a normal draw."""

Counts = tuple[int, int]
"""The first whole number of a uniform draw, and the one after the last."""

Shares = tuple[float, ...]
"""Probabilities of several cases, in their order; they add up to 1, or the rest is the last case."""


@dataclass(frozen=True)
class HandRecipe:
    """One writer, and the room that is left around the line.

    Attributes:
        pen: log-normal width of the pen: its median, and the standard deviation of its logarithm.
        pen_limits: thinnest and thickest pen.
        slants: usual and strong slant to the right, in widths per height; the usual one is normal.
        usual_slant: share of the writers with the usual slant; print is upright.
        width: logarithm of the characters' width, relative to their form.
        gaps: between characters: usual (normal), touching, wide.
        gap_shares: shares of those three.
        slope: rise of the line per width.
        drift: standard deviation of the characters' vertical place.
        printed_drift: the same in print.
        size_spread: standard deviation of the logarithm of the characters' size; 0 in print.
        fills: digit height as a share of the picture's height: usual, small, cut off at the rim.
        fill_shares: shares of the first two.
        centre: both parameters of the beta distribution of the line's vertical place in the picture.
        thin: share of an MNIST digit's grey levels that this writer's thinner pen loses.
        wobble: standard deviation of the points of a stroke.
        other_form: how often a writer changes to another form of a character.
        joined: share of the writers who join digits with a stroke.
        join: how often they join two digits.
        chained: share of the writers who join zeros.
        chain: how often they join two zeros.
        margins: before the line: usual, wide.
        end_margins: after it: usual, wide.
        margin_shares: shares of usual and wide ones.
        small_end: share of texts whose last three characters are small and raised, as cents are.
        small_size: their size.
        small_raise: by how much they are raised, times a quarter.
        space: width of a space.
        gap_spread: standard deviation of the gaps within a line.
        sign_gap: smallest gap beside a sign.
    """

    pen: Normal = (0.085, 0.42)
    pen_limits: Range = (0.02, 0.24)
    slants: tuple[Normal, Range] = ((0.18, 0.2), (0.35, 0.85))
    usual_slant: float = 0.72
    width: Normal = (0.04, 0.23)
    gaps: tuple[Normal, Range, Range] = ((0.1, 0.07), (-0.12, 0.1), (0.2, 1.2))
    gap_shares: Shares = (0.57, 0.25, 0.18)
    slope: Normal = (0, 0.03)
    drift: Range = (0.01, 0.07)
    printed_drift: float = 0.01
    size_spread: Range = (0.02, 0.12)
    fills: tuple[Range, Range, Range] = ((0.42, 0.85), (0.24, 0.45), (0.85, 1.06))
    fill_shares: Shares = (0.68, 0.18)
    centre: float = 2
    thin: Range = (0.1, 0.6)
    wobble: Range = (0.008, 0.04)
    other_form: float = 0.15
    joined: float = 0.18
    join: float = 0.45
    chained: float = 0.25
    chain: float = 0.75
    margins: tuple[Range, Range] = ((-0.03, 0.4), (0, 2.0))
    end_margins: tuple[Range, Range] = ((-0.03, 0.45), (0, 2.0))
    margin_shares: Shares = (0.8, 0.2)
    small_end: float = 0.1
    small_size: float = 0.72
    small_raise: Range = (-0.2, 1)
    space: Range = (0.25, 0.7)
    gap_spread: float = 0.04
    sign_gap: Range = (0.02, 0.16)


@dataclass(frozen=True)
class SurroundingsRecipe:
    """What stands around the writing. Levels are 0..256 of full ink, pens pixels, heights from the digits' upper rim.

    Attributes:
        rule: share of lines on a ruled line.
        rule_height: of the rule.
        rule_tilt: standard deviation of its rise per width.
        rule_level: its level.
        rule_pen: its width.
        upper_rule: share of lines below a ruled line.
        upper_rule_height: how far above the digits it is.
        upper_rule_pen: its width.
        box: share of lines in a box.
        box_heights: of its upper side above, and its lower side below the digits' upper rim.
        box_inset: how far its sides stand in the picture, pixels.
        box_level: its level.
        box_pen: its width.
        rim: share of pictures with a dark strip along the right or lower rim.
        rim_width: of the strip, pixels.
        rim_level: its level.
        words: share of pictures with a printed word.
        word_size: height of its letters.
        word_below: share of the words that stand below the line.
        word_heights: of a word below, and of one above.
        word_start: where it begins: from the first number, pixels, to the second, a share of the width.
        word_length: number of letters.
        neighbours: share of pictures into which digits of neighbouring lines or fields reach.
        neighbour_count: number of such digits.
        neighbour_size: their size.
        neighbour_seen: the share of one that can be seen.
        shapes: share of pictures without a text that show shapes instead.
        shapes_width: narrowest picture with shapes, in heights.
        shape_count: number of shapes.
        shape_corners: number of corners of a shape.
        shape_middle: where its middle is, a share of width and height.
        shape_size: its standard deviation, in heights.
        shape_convex: share of shapes without dents.
        shape_filled: share of filled shapes.
        shape_level: level of a filled one.
        shape_pen: pen of an open one.
    """

    rule: float = 0.45
    rule_height: Range = (0.85, 1.35)
    rule_tilt: float = 0.012
    rule_level: Counts = (70, 256)
    rule_pen: Counts = (1, 5)
    upper_rule: float = 0.15
    upper_rule_height: Range = (0.05, 0.5)
    upper_rule_pen: Counts = (1, 4)
    box: float = 0.12
    box_heights: tuple[Range, Range] = ((0.1, 0.5), (1.1, 1.5))
    box_inset: Range = (-10, 12)
    box_level: Counts = (60, 230)
    box_pen: Counts = (1, 4)
    rim: float = 0.08
    rim_width: Counts = (1, 5)
    rim_level: Counts = (100, 256)
    words: float = 0.2
    word_size: Range = (0.2, 0.55)
    word_below: float = 0.7
    word_heights: tuple[Range, Range] = ((1.25, 1.8), (0.1, 0.4))
    word_start: tuple[float, float] = (-10, 0.7)
    word_length: Counts = (2, 12)
    neighbours: float = 0.14
    neighbour_count: Counts = (1, 4)
    neighbour_size: Range = (0.7, 1.2)
    neighbour_seen: Range = (0.04, 0.22)
    shapes: float = 0.7
    shapes_width: Range = (0.6, 2)
    shape_count: Counts = (1, 5)
    shape_corners: Counts = (3, 9)
    shape_middle: Range = (0.1, 0.9)
    shape_size: Range = (0.1, 0.35)
    shape_convex: float = 0.6
    shape_filled: float = 0.6
    shape_level: Counts = (90, 256)
    shape_pen: Counts = (2, 7)


@dataclass(frozen=True)
class PaperRecipe:
    """Paper and ink. Levels are 0..255 of grey, strengths the share of the light that ink takes.

    Attributes:
        level: of the bare paper.
        patterned: share of papers with a printed pattern.
        pattern: strength of the pattern.
        imprint: strength of what stands around the writing.
        uneven: share of lines whose ink covers unevenly.
        unevenness: how much ink is missing where the cover varies by one standard deviation.
        least_cover: share of the ink that is always there.
        faintness: how bright the ink is, as a share of the paper's level.
        darker: share of lines written with darker ink.
        darker_power: the power to which their faintness is raised.
        contrast: brightest ink beside the pattern, as a share of the paper's level.
        negative: share of pictures with black and white exchanged.
    """

    level: Range = (110, 252)
    patterned: float = 0.75
    pattern: Range = (0.02, 0.33)
    imprint: Range = (0.2, 0.9)
    uneven: float = 0.4
    unevenness: Range = (0.1, 0.35)
    least_cover: float = 0.25
    faintness: Range = (0.03, 0.75)
    darker: float = 0.5
    darker_power: float = 1.6
    contrast: float = 0.88
    negative: float = 0.08


@dataclass(frozen=True)
class CameraRecipe:
    """What scanners and cameras do to a picture.

    Attributes:
        uneven: share of pictures under uneven light.
        unevenness: standard deviation of that light.
        shadow: share with the edge of a shadow.
        shadow_depth: share of the light that it takes.
        shadow_sharpness: how steep its edge is.
        shadow_place: where it is.
        blur: share of blurred pictures.
        blur_width: standard deviation of the blur, 64ths of the height.
        noise: share of noisy pictures.
        noise_level: standard deviation of the noise, grey levels.
        jpeg: share of pictures saved as JPEG.
        jpeg_quality: of those.
    """

    uneven: float = 0.4
    unevenness: Range = (0, 0.25)
    shadow: float = 0.1
    shadow_depth: Range = (0.1, 0.5)
    shadow_sharpness: Range = (2, 12)
    shadow_place: Range = (-6, 6)
    blur: float = 0.6
    blur_width: Range = (0.3, 1.3)
    noise: float = 0.5
    noise_level: Range = (0, 10)
    jpeg: float = 0.2
    jpeg_quality: Counts = (20, 90)


@dataclass(frozen=True)
class LineRecipe:
    """What lines say, who writes them, and on what.

    Attributes:
        empty: share of the lines without a digit.
        strokes: share of the lines written with strokes of a pen.
        mnist: share of the lines of MNIST digits.
        handwritten: share of the lines in a handwriting font; the rest is printed.
        printed_words: share of the words that are printed.
        recorded: share of the lines by recorded writers, if there are any, as of all that follows with their name; the
            other writers share the rest.
        whole: share of the lines by recorded writers that are whole numbers of theirs.
        marked: share of the composed lines with other marks between digits, if there are recorded writers.
        printed_marks: share of the composed lines whose other marks are printed though people wrote the digits, if
            there are recorded writers.
        hand: the writer.
        surroundings: what stands around the writing.
        paper: what it is written on.
        camera: how it is photographed.
    """

    empty: float = 0.1
    strokes: float = 0.46
    mnist: float = 0.28
    handwritten: float = 0.20
    printed_words: float = 0.5
    recorded: float = 0.5
    whole: float = 0.25
    marked: float = 0.25
    printed_marks: float = 0.4
    hand: HandRecipe = field(default_factory=HandRecipe)
    surroundings: SurroundingsRecipe = field(default_factory=SurroundingsRecipe)
    paper: PaperRecipe = field(default_factory=PaperRecipe)
    camera: CameraRecipe = field(default_factory=CameraRecipe)
