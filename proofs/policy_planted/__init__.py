"""Documents with one planted defect each, and clean ones.

``defects.PLANTED`` says for each defect which finding must name it and how its witness shows it: a
predicate over the finding, the witness facts and the decision that the policy makes of them.
``clean.CLEAN`` are documents without any defect. All are built from one sound document by small
edits, so that exactly one thing is wrong.
"""
