"""Runs one method once, isolated and metered."""
