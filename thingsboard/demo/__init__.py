"""Two devices that move by themselves, so that a first visitor sees data arrive."""
