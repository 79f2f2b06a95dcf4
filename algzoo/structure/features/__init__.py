"""The search for formulas that neurons follow, and the tests of what it finds."""
