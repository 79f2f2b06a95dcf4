"""The accuracy of longest-cycle models: all functions, or one of each class."""
