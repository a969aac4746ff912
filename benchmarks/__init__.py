"""Measurements. Ratios within one run, never absolute promises; nothing here is a test."""
