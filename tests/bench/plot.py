# SPDX-License-Identifier: GPL-2.0-or-later
"""An SVG of lines, of nothing but text."""

import math
from html import escape

# Of the field with the lines in it; beside it the names take the room that they need.
LEFT, RIGHT, TOP, BOTTOM, HEIGHT = 76, 470, 40, 50, 400
LETTER = 7  # pixels, of a font that nobody knows beforehand
COLOURS = ("#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#d68910", "#555555", "#16a085", "#7f3f00")


class _Axis:
    """Values to pixels; steps of 1, 2, 5 or of ten."""

    def __init__(self, values, logarithmic, begin, end):
        self.log = logarithmic and min(values) > 0
        low, high = min(values), max(values)
        if self.log:
            low, high = 10 ** math.floor(math.log10(low)), 10 ** math.ceil(math.log10(high))
            high = high if high > low else low * 10
        else:
            low, high = min(low, 0), high * 1.08 or 1
        self.low, self.high, self.begin, self.end = low, high, begin, end

    def at(self, value):
        if self.log:
            part = math.log10(value / self.low) / math.log10(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.begin + part * (self.end - self.begin)

    def ticks(self):
        if self.log:
            count = round(math.log10(self.high / self.low))
            return [self.low * 10 ** i for i in range(count + 1)]
        raw = (self.high - self.low) / 5
        unit = 10 ** math.floor(math.log10(raw))
        step = next(unit * n for n in (1, 2, 5, 10) if unit * n >= raw)
        return [i * step for i in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]


def _number(value):
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def _text(x, y, text, anchor="middle", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {extra}>{escape(text)}</text>'


def svg(plot, rows):
    """The file's text; None where there is nothing to draw."""
    points = [(row[plot.of], float(row[plot.x]), float(row[plot.y])) for row in rows
              if row.get(plot.x) is not None and row.get(plot.y) is not None and row.get(plot.of) is not None]
    if not points:
        return None
    names = list(dict.fromkeys(str(p[0]) for p in points))
    width = RIGHT + 24 + LETTER * max(map(len, names))
    x = _Axis([p[1] for p in points], "x" in plot.log, LEFT, RIGHT)
    y = _Axis([p[2] for p in points], "y" in plot.log, HEIGHT - BOTTOM, TOP)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" font-family="sans-serif" '
           f'font-size="12">', f'<rect width="{width}" height="{HEIGHT}" fill="#ffffff"/>',
           _text((LEFT + RIGHT) / 2, 22, plot.title, extra='font-size="14"')]
    for value in x.ticks():
        out.append(f'<path d="M{x.at(value):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#e0e0e0"/>')
        out.append(_text(x.at(value), HEIGHT - BOTTOM + 16, _number(value)))
    for value in y.ticks():
        out.append(f'<path d="M{LEFT} {y.at(value):.1f}H{RIGHT}" stroke="#e0e0e0"/>')
        out.append(_text(LEFT - 6, y.at(value) + 4, _number(value), "end"))
    out.append(_text((LEFT + RIGHT) / 2, HEIGHT - 12, plot.x))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    out.append(_text(16, middle, plot.y, extra=f'transform="rotate(-90 16 {middle:.1f})"'))
    for number, name in enumerate(names):
        colour = COLOURS[number % len(COLOURS)]
        line = sorted((px, py) for pname, px, py in points if str(pname) == name)
        path = " ".join(f"{x.at(px):.1f},{y.at(py):.1f}" for px, py in line)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x.at(px):.1f}" cy="{y.at(py):.1f}" r="3" fill="{colour}"/>' for px, py in line]
        out.append(_text(RIGHT + 12, TOP + 12 + 18 * number, name, "start", f'fill="{colour}"'))
    return "\n".join([*out, "</svg>", ""])
