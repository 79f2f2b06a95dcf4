"""What the chapter on telling mechanisms apart says about its models.

``statements`` are what the explanations of M2,2 and M4,3 say about one linear piece.
"""
