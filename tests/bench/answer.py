# SPDX-License-Identifier: GPL-2.0-or-later
"""What a question gives: rows for the table and the JSON, and the plots made of them."""

from dataclasses import asdict, dataclass, field


@dataclass
class Plot:
    """Lines of y over x, one for each value of the column `of`."""
    name: str
    title: str
    x: str
    y: str
    of: str
    log: str = ""  # "x", "y" or both are logarithmic


@dataclass
class Answer:
    key: str
    title: str
    rows: list = field(default_factory=list)
    plots: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    def json(self):
        return asdict(self)

    @classmethod
    def of_json(cls, data):
        return cls(**{**data, "plots": [Plot(**plot) for plot in data["plots"]]})

    def table(self):
        """Text, columns aligned."""
        columns = list(dict.fromkeys(key for row in self.rows for key in row))
        lines = [columns] + [[_cell(row.get(column)) for column in columns] for row in self.rows]
        width = [max(len(line[i]) for line in lines) for i in range(len(columns))]
        text = [f"## {self.key}: {self.title}", ""]
        for number, line in enumerate(lines):
            text.append("| " + " | ".join(cell.ljust(width[i]) for i, cell in enumerate(line)) + " |")
            if number == 0:
                text.append("|" + "|".join("-" * (w + 2) for w in width) + "|")
        return "\n".join([*text, *(f"- {note}" for note in self.notes), ""])


def _cell(value):
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)
