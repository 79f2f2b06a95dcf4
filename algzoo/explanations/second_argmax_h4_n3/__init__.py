"""The explanation of M4,3: its symmetries, its decision arcs, estimates after ARC, and ledgers."""
