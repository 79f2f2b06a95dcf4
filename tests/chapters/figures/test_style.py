"""The palette: told apart by the colour-blind, dark enough for text and lines, ordered in grey."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from algzoo.chapters.figures import planar, spherical, style

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
# Deficiency", 2009, severity 1.0; on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# IEC 61966-2-1: linear sRGB to XYZ under D65.
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
FILLS = (style.BLUE, style.GREEN, style.YELLOW, style.GREY, style.PLUM)


def linear(colour):
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIELAB of linear RGB."""
    t = TO_XYZ @ np.clip(rgb, 0, 1) / TO_XYZ.sum(axis=1)
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(first, second):
    """Contrast ratio of WCAG 2."""
    low, high = sorted(TO_XYZ[1] @ linear(colour) for colour in (first, second))
    return (high + 0.05) / (low + 0.05)


def test_the_measures_are_right():
    assert contrast("white", "black") == pytest.approx(21, abs=1e-3)
    assert contrast("#777777", "white") == pytest.approx(4.48, abs=5e-3)  # WebAIM's example
    assert lab(linear("white")) == pytest.approx([100, 0, 0], abs=0.02)
    assert lab(linear("red")) == pytest.approx([53.24, 80.09, 67.20], abs=0.02)
    for matrix in VISION.values():  # white stays white
        assert matrix.sum(axis=1) == pytest.approx(np.ones(3), abs=2e-6)


@pytest.mark.parametrize("vision", VISION)
def test_areas_are_told_apart(vision):
    seen = {colour: lab(VISION[vision] @ linear(colour)) for colour in FILLS}
    for one, other in combinations(FILLS, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 10, (one, other)


def test_text_and_borders_stand_out_from_areas():
    for colour in (*FILLS, "white"):
        assert contrast(style.INK, colour) > 7
    for colour in (style.ERROR, style.SAMPLED, style.INK):
        assert contrast(colour, "white") > 4.5


def test_errors_stand_out_from_answers_in_grey():
    """They are hatched as well."""
    error = lab(linear(style.ERROR))[0]
    for colour in (*spherical.COLOURS, style.GREY):
        assert lab(linear(colour))[0] - error > 25


def test_answers_are_told_apart_in_grey():
    lightness = sorted(lab(linear(colour))[0] for colour in spherical.COLOURS)
    assert np.diff(lightness).min() > 6


def test_areas_and_lines_differ_in_grey_and_stand_out():
    lightness = sorted(lab(linear(colour))[0] for colour in FILLS)
    assert np.diff(lightness).min() > 5
    for colour in style.LINES:
        assert contrast(colour, "white") > 3


def test_one_colour_has_one_meaning():
    assert len(set(spherical.COLOURS)) == len(spherical.COLOURS)
    assert style.ERROR not in {*planar.COLOURS.values(), *spherical.COLOURS}
    for kind, colour in planar.COLOURS.items():
        assert getattr(style, planar.NAMES[kind].upper()) == colour
    for name, colour in zip(spherical.NAMES, spherical.COLOURS, strict=True):
        assert getattr(style, name.upper()) == colour
