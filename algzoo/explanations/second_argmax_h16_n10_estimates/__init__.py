"""Every estimate for M16,10, scored on noisy copies of six networks.

``study`` makes the table of all estimates on all copies, and scores what is in it; the chapter
reads the table, and ``algzoo study`` makes it anew.
"""
