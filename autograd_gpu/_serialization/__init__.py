"""How checkpoints are written and read: zip container, pickle, storages."""
