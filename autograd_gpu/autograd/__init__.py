"""Floor 2: the engine. Knows nodes, edges and gradients; no operation."""
