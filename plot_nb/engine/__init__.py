"""Decides what runs next and what an answer means: no I/O, no threads, time only through the clock."""
