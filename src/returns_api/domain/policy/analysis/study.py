"""What all checks share: the document as geometry, who decides what where, and findings.

Owns the two questions every check is made of: is there a case where this rule decides this term
(``deciding``), and is there one where it does so while another rule decides another (``both``)?
Both are exact and come back as a part of the fact space, from which a witness is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from returns_api.domain.policy.boxes import Box, Budget, find, meet
from returns_api.domain.policy.chosen_terms import NEVER
from returns_api.domain.policy.decision_json import decision_to_json
from returns_api.domain.policy.decisions import Decision
from returns_api.domain.policy.document import TERM_NAMES, Rule
from returns_api.domain.policy.evaluate import compile_policy
from returns_api.domain.policy.facts import Facts
from returns_api.domain.policy.findings import Finding, Path, write_path
from returns_api.domain.policy.geometry import Geometry
from returns_api.domain.policy.loader import LoadedPolicy
from returns_api.domain.policy.vocabulary import Severity
from returns_api.domain.policy.witnesses import witness


class Study:
    """One document under analysis."""

    def __init__(self, loaded: LoadedPolicy, budget: Budget) -> None:
        self.loaded = loaded
        self.document = loaded.document
        self.rules: Sequence[Rule] = loaded.document.rules
        self.policy = compile_policy(loaded)
        self.geometry = Geometry(self.policy)
        self.budget = budget
        self.boxes = self.geometry.rules[: len(self.rules)]
        self.right_boxes = self.geometry.rules[len(self.rules) :]
        self.setters = {
            name: [n for n, rule in enumerate(self.rules) if getattr(rule, name) is not None]
            for name in TERM_NAMES
        }
        self.findings: list[Finding] = []

    def holes(self, term: str, before: int) -> list[Box]:
        """The boxes of all rules above ``before`` that set ``term``."""
        return [box for n in self.setters[term] if n < before for box in self.boxes[n]]

    def deciding(self, number: int, term: str, cut: Box | None = None) -> Box | None:
        """A part where the rule at ``number`` decides ``term``, inside ``cut``; None = nowhere."""
        holes = self.holes(term, number)
        for box in self.boxes[number]:
            part = meet(box, cut) if cut is not None else box
            found = find(part, holes, self.budget) if part is not None else None
            if found is not None:
                return found
        return None

    def alive(self, number: int, term: str, cut: Box | None = None) -> Box | None:
        """Like ``deciding``, where the merchant does not refuse the return."""
        return self.alive_both({term: number}, cut)

    def alive_both(self, deciders: Mapping[str, int], cut: Box | None = None) -> Box | None:
        """A part where each rule decides its term and the merchant does not refuse."""
        holes = [box for term, n in deciders.items() for box in self.holes(term, n)]
        parts = [cut if cut is not None else self.geometry.universe]
        for number in deciders.values():
            parts = [m for part in parts for box in self.boxes[number] if (m := meet(part, box))]
        for part in parts:
            found = self.accepted(part, holes)
            if found is not None:
                return found
        return None

    def accepted(self, part: Box, holes: list[Box]) -> Box | None:
        """A part of ``part`` outside ``holes`` where no rule refuses."""
        refusing: list[Box] = []
        for n in self.setters["refuse"]:
            if self.rules[n].refuse == NEVER:
                for box in self.boxes[n]:
                    inner = meet(part, box)
                    found = find(inner, holes + refusing, self.budget) if inner else None
                    if found is not None:
                        return found
            else:
                refusing += self.boxes[n]
        return find(part, holes + refusing, self.budget)

    def near(self, rule: Rule) -> Mapping[str, Any]:
        """The name and line of a rule, for messages and witnesses."""
        return {"rule": rule.id, "line": self.loaded.lines.get(rule.id)}

    def report(
        self,
        code: str,
        severity: Severity,
        message: str,
        path: Path,
        *,
        suggestion: str | None = None,
        case: Facts | None = None,
        shows: str = "",
    ) -> None:
        """Add a finding; ``case`` is its witness and ``shows`` says what to look at in it."""
        mark = self.loaded.tree.mark(path)
        witness = self._witness(case, shows) if case is not None else None
        found = Finding(
            code, severity, message, write_path(path), mark.line, mark.column, suggestion, witness
        )
        self.findings.append(found)

    def _witness(self, case: Facts, shows: str) -> dict[str, object]:
        decision = self.policy.decide(case)
        return {"facts": case.to_json(), "shows": shows, "decision": decision_to_json(decision)}

    def case(self, part: Box, **changes: Any) -> Facts:
        """A witness in ``part``."""
        facts = witness(self.geometry, part)
        return replace(facts, **changes) if changes else facts

    def decide(self, case: Facts) -> Decision:
        """What the policy makes of a case."""
        return self.policy.decide(case)
