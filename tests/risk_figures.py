"""Whether a threshold proved on some requests keeps its risk on others: `python -m tests.risk_figures`.

Each of SPLITS parts a public corpus anew: three fifths teach and prove, the rest is new. Where there are requests that
none of the categories wants, both parts count them as a fifth.
"""

import json
import os
from collections.abc import Sequence
from random import Random
from statistics import mean

from activities.learning.categories import NONE_SHARE, as_expected, learn
from activities.learning.fitting import Answered, proved
from schemas.triage import CATEGORY, Example
from starters.commands.evaluate import labelled_in
from starters.learning import answered
from starters.request_triage import REQUEST_TRIAGE
from tests.figures import DATA

SPLITS = int(os.environ.get("SPLITS", "10"))
CORPORA = {"banking77": ("banking77.train",), "clinc150": ("clinc150.train", "clinc150.val")}
RISKS = (0.01, 0.02, 0.05, 0.1)
TAUGHT, CONFIDENCE, LEAST = 0.6, 0.95, 0.7


def parted(examples: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    """What teaches and what is new; half of the few that are none in each."""
    chance, taught, new = Random(seed), list[Example](), list[Example]()
    for is_none, share in ((True, 0.5), (False, TAUGHT)):
        kind = [one for one in examples if (one.category is None) == is_none]
        chance.shuffle(kind)
        apart = round(share * len(kind))
        taught, new = taught + kind[:apart], new + kind[apart:]
    return taught, new


def fares(answers: Sequence[tuple[Example, Answered]], threshold: float) -> tuple[float, float]:
    """The share that is taken at a threshold, and the share of errors among it."""
    none = sum(one.category is None for one, _ in answers)
    among = NONE_SHARE if none else 0
    weights = {True: among / max(none, 1), False: (1 - among) / (len(answers) - none)}
    taken = [(weights[one.category is None], it) for one, it in answers if it.clean and it.confidence >= threshold]
    share = sum(weight for weight, _ in taken)
    return share, sum(weight for weight, it in taken if it.wrong) / share if share else 0.0


def main() -> None:
    for corpus, files in CORPORA.items():
        lines = [one for file in files for one in labelled_in(DATA / "evaluate" / f"{file}.jsonl", (CATEGORY,))]
        examples = [Example(text=one.text, category=one.expected[CATEGORY]) for one in lines]
        came: dict[float, list[tuple[float, float]]] = {risk: [] for risk in RISKS}
        for seed in range(SPLITS):
            taught, new = parted(examples, seed)
            classifier, unseen = learn(REQUEST_TRIAGE.name, taught)
            known = [answered(taught[place], unseen[place]) for place in as_expected(taught, unseen)]
            judged = [(one, answered(one, classifier.classify(one.text))) for one in new]
            for risk in RISKS:
                threshold = proved(known, LEAST, risk, CONFIDENCE).choice.threshold
                came[risk] += [fares(judged, threshold)] if threshold is not None else []
        print(json.dumps({corpus: {f"{risk:.0%}": told(risk, of) for risk, of in came.items()}}, indent=1))  # noqa: T201


def told(risk: float, came: Sequence[tuple[float, float]]) -> dict[str, object]:
    if not came:
        return {"proved": f"0 of {SPLITS}"}
    wrong = [share for _, share in came]
    return {
        "proved": f"{len(came)} of {SPLITS}",
        "taken": round(mean(taken for taken, _ in came), 3),
        "wrong": f"{min(wrong):.4f} to {max(wrong):.4f}",
        "above the risk": sum(share > risk for share in wrong),
    }


if __name__ == "__main__":
    main()
