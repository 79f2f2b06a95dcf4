"""The explanation of M16,5 (argmedian): it compares the newest input with each earlier one."""
