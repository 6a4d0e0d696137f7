"""The table of textbook results: what the book has, and what symgrad prints, letter by letter.

``docs/make_textbook.py`` writes docs/textbook.md from it.
"""

import textbook_matrices
import textbook_models
import textbook_regression
from textbook_row import Row

SECTIONS: dict[str, tuple[Row, ...]] = {
    "Regression and classification": textbook_regression.ROWS,
    "Densities, factorizations, networks": textbook_models.ROWS,
    "The Matrix Cookbook, section 2": textbook_matrices.ROWS,
}
ROWS: tuple[Row, ...] = tuple(row for rows in SECTIONS.values() for row in rows)
