"""Surprise accounting: ledgers of checks, residuals, and bounds on what training chose."""
