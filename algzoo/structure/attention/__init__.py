"""What the weights of longest-cycle transformers say: circuits, and classes of functions."""
