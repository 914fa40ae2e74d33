"""The vectors for philox4x32-10 that its authors published with Random123 (kat_vectors)."""

import numpy as np

COUNTERS = np.array(
    [
        [0, 0, 0, 0],
        [0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF],
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
    ],
    np.uint32,
)
KEYS = np.array([[0, 0], [0xFFFFFFFF, 0xFFFFFFFF], [0xA4093822, 0x299F31D0]], np.uint32)
WORDS = np.array(
    [
        [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8],
        [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ],
    np.uint32,
)
