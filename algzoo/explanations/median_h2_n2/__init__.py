"""The explanation of the smallest median model: it computes the mean of its two inputs."""
