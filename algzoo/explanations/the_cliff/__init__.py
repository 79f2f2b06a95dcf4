"""Where the cliff is: estimates of accuracies over all sizes (d, n), scored by scramble."""
