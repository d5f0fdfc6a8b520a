"""Claims: sentences of a paper made falsifiable, judged on stored rows."""

from theorytk.claims.check import check
from theorytk.claims.claim import STATUSES, Assumption, Claim, Control, claim
from theorytk.claims.evaluate import ClaimResult, ControlResult, evaluate, wanted
from theorytk.claims.ledger import Ledger
from theorytk.claims.tables import by_replicate

__all__ = [
    "STATUSES",
    "Assumption",
    "Claim",
    "ClaimResult",
    "Control",
    "ControlResult",
    "Ledger",
    "by_replicate",
    "check",
    "claim",
    "evaluate",
    "wanted",
]
