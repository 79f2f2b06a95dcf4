"""Random sampling, and the samplers that reduce its variance."""
