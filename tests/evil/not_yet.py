"""Lies that a program still believes: {program: {lie: why}}. Each is expected to fail, strictly: when the program has
learned to disbelieve it, its test says so, and the entry goes. Nothing is added here that was beaten before."""

NOT_YET = {}
