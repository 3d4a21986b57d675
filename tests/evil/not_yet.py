"""Lies that a program still believes: {program: {why: lies}}. Each is expected to fail, strictly: once the program has
learned to disbelieve it, its test says so, and the entry goes. Nothing that was beaten before is added here."""

NOT_YET = {}
