"""How checkpoints are written and read: the zip container, the pickle inside it, and the storages."""
