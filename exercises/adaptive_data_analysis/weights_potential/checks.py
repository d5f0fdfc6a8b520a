"""Updates by log ratios, drops on random instances, duels by our claims and a closed form."""

import numpy as np
from scipy.special import rel_entr

import theorytk as tk
from theorytk.adaptive.update_laws import mw_point_mass_updates, mw_update_bound
from theorytk.classroom import Wrong, array, check, close, picture, same, true

PAPER = "dwork2014"
QUESTION = "Prove that every legal update lowers the potential by at least alpha^2 / 4."


def _updated(student, weights, query, too_high, eta):
    """Return what the student's update returns."""
    found = student.update(weights.copy(), query.copy(), too_high, eta)
    return array(found, "update(weights, query, too_high, eta)", shape=weights.shape)


def _law(size, rng):
    # Of a prime number of points: no cell is just as heavy as the uniform weights.
    return rng.multinomial(97, rng.dirichlet(np.full(size, rng.choice([0.05, 0.3, 1.0])))) / 97


def _legal(rng):
    """Return a law, weights and a query whose answer is off by more than alpha, and alpha."""
    while True:
        size, alpha = int(rng.integers(2, 40)), float(rng.uniform(0.02, 0.3))
        law, weights = _law(size, rng), rng.dirichlet(np.full(size, rng.choice([0.3, 1.0, 5.0])))
        query = rng.random(size)
        if rng.random() < 0.5:
            query = query.round()
        if abs(query @ (law - weights)) > alpha and weights.min() > 1e-12:
            return law, weights, query, alpha


@check(points=2)
def updates(student, rng):
    """One update: the weights against those before it, on a logarithmic scale.

    Weights with penalties r and s move apart by eta (r - s), and the sum stays 1.
    """
    for too_high in (True, False) * 5:
        _, weights, query, _ = _legal(rng)
        eta = float(rng.uniform(0.05, 1.5))
        found = _updated(student, weights, query, too_high, eta)
        side = "high" if too_high else "low"
        given = f"{len(query)} cells, an answer that is too {side}, eta = {eta:.3g}"
        close(found.sum(), 1, "the sum of the new weights", atol=1e-9, given=given)
        true((found > 0).all(), f"weights must stay positive, for {given}")
        moved = np.log(found / weights)
        expected = eta * (query - query[0]) * (-1 if too_high else 1)
        name = "the logarithm of new over old weights, less that of the first cell"
        close(moved - moved[0], expected, name, atol=1e-8, given=given)


@check(points=1)
def entropies(student, rng):
    """The potential, also where the law is 0.

    Which of the two vectors is averaged over, and to which base is the logarithm?
    """
    for _ in range(10):
        law, weights, *_ = _legal(rng)
        found = student.potential(law.copy(), weights.copy())
        expected = rel_entr(law, weights).sum()
        close(found, expected, "potential(law, weights)", rtol=1e-9, atol=1e-12)


@check(points=2)
def drops(student, rng):
    """The drop of the potential by at least alpha^2 / 4, on 200 random instances.

    If the potential rises, the penalty is on the wrong cells.
    """
    shortfalls = []
    for _ in range(200):
        law, weights, query, alpha = _legal(rng)
        too_high = bool(query @ (weights - law) > 0)
        after = _updated(student, weights, query, too_high, alpha / 2)
        true((after > 0).all(), "weights must stay positive")
        drop = rel_entr(law, weights).sum() - rel_entr(law, after / after.sum()).sum()
        shortfalls.append(drop < alpha**2 / 4)
    failed = int(np.sum(shortfalls))
    true(failed == 0, f"in {failed} of 200 legal updates the potential drops by less")


@check(points=2)
def duels(student, rng):
    """The duel: potentials until no query has an error above alpha.

    The first entry is the potential of uniform weights, and each update adds one.
    """
    for _ in range(5):
        size, alpha = int(rng.integers(5, 60)), float(rng.uniform(0.1, 0.3))
        law = _law(size, rng)
        expected = _reference(law, alpha)
        given = f"a law on {size} cells, alpha = {alpha:.3g}"
        found = array(student.duel(law.copy(), alpha), "duel(law, alpha)", shape=(None,))
        same(len(found), len(expected), "the number of potentials", given=given)
        close(found, expected, "duel(law, alpha)", rtol=1e-6, atol=1e-9, given=given)
    point, alpha = np.eye(64)[rng.integers(64)], float(rng.uniform(0.1, 0.3))
    found = array(student.duel(point, alpha), "duel(law, alpha)", shape=(None,))
    expected = mw_point_mass_updates(64, alpha, alpha / 2) + 1
    same(len(found), expected, "the number of potentials", given="all data in one cell")


def _reference(law, alpha):
    """Return the potentials of a duel, with the total penalty of each cell in the exponent."""
    penalty = np.zeros(len(law))
    potentials = []
    while True:
        log_weights = -alpha / 2 * penalty
        log_weights -= np.log(np.sum(np.exp(log_weights)))
        potentials.append(rel_entr(law, np.exp(log_weights)).sum())
        too_light = law > np.exp(log_weights)
        if np.sum((law - np.exp(log_weights))[too_light]) <= alpha:
            return np.array(potentials)
        penalty += ~too_light


@check(points=1)
def largest(student, rng):
    """The largest number of updates that the potential allows.

    It falls from at most its first value to at least 0.
    """
    for _ in range(10):
        size, alpha = int(rng.integers(2, 5000)), float(rng.uniform(0.05, 0.5))
        expected = int(mw_update_bound(size, alpha, printed=True))
        given = f"{size} cells, alpha = {alpha:.3g}"
        same(student.most_updates(size, alpha), expected, "most_updates(cells, alpha)", given=given)


@check(points=1)
def claim(student, rng):
    """Drops and numbers of updates by theorytk's claims, with your update and other steps.

    If the check of one update passes, this one does; if not, the potential says so here too.
    """

    class Weights:
        """What the claims ask of a mechanism: weights that a query updates."""

        def __init__(self, domain_size, threshold, max_updates, epsilon, eta):
            self.weights, self.eta = np.full(domain_size, 1 / domain_size), eta

        def attach(self, sample):
            self.law = np.bincount(sample, minlength=len(self.weights)) / len(sample)
            return self

        def answer(self, query):
            if errors:
                return
            too_high = bool(query @ (self.weights - self.law) > 0)
            try:
                new = _updated(student, self.weights, query, too_high, self.eta)
                true((new > 0).all(), "weights must stay positive")
                self.weights = new / new.sum()
            except Exception as error:  # the runner would hide it
                errors.append(error)

    errors = []
    for id in ("mw-update-bound", "mw-potential-drop"):
        options = dict(seed=int(rng.integers(2**31)), size=32)
        [result] = tk.check(f"adaptive-data-analysis/{id}", algorithm=Weights, **options)
        if errors:
            raise errors[0]
        if str(result.verdict) == "contradicted":
            raise Wrong(f"your update contradicts the claim {id}")


@picture
def potentials(student, rng, figure):
    axes = figure.add_subplot()
    for alpha in (0.1, 0.2):
        law = rng.multinomial(2000, rng.dirichlet(np.full(256, 0.05))) / 2000
        found = np.asarray(student.duel(law, alpha))
        [line] = axes.plot(found, label=rf"duel, $\alpha = {alpha}$")
        t = np.arange(len(found))
        label = rf"$\alpha^2/4$ per update, $\alpha = {alpha}$"
        axes.plot(t, found[0] - t * alpha**2 / 4, ":", color=line.get_color(), label=label)
    axes.set(xlabel="updates (1)", ylabel=r"potential $\Psi$ (nats)")
    axes.legend()
