"""Floor 1: data. An array, its type and its place; no mathematics, no graph."""
