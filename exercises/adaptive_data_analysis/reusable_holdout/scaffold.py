class Thresholdout:
    """The reusable holdout: `threshold` T, noise level `sigma`, `budget` B.

    `laplace(scale)` draws Laplace noise of this scale, one float.
    """

    def __init__(self, threshold, sigma, budget, laplace):
        self.budget = 0

    def answer(self, train, holdout):
        """Return the answer to a query with these means (floats), or None without a budget."""
        return 0.0
