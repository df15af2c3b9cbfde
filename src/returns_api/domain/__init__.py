"""Rules of the house: pure functions from facts to plans.

Nothing here does I/O, reads a clock, draws a random number, logs or keeps state. Time comes in as
a parameter, money is integer minor units, and every failure is a class of ``domain.errors``.
"""
