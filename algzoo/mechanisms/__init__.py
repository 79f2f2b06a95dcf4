"""Telling mechanisms apart: tasks with exact labels, detectors, and their scores."""
