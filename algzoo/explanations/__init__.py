"""What the book says about single models: a module or folder for each, named as its notebook."""
