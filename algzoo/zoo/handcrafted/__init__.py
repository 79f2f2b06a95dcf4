"""Networks whose weights are written down by hand, for each of the four tasks."""
