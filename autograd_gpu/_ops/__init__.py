"""Floor 3: the table of ops, one file a chapter."""
