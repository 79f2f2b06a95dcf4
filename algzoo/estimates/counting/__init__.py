"""Arithmetic that counts its operations."""
