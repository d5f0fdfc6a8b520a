"""Draws the comparison with the scale 2 sigma, as the threshold."""


class Thresholdout:
    def __init__(self, threshold, sigma, budget, laplace):
        self.threshold, self.sigma, self.laplace = threshold, sigma, laplace
        self.budget = budget
        self.noisy_threshold = threshold + laplace(2 * sigma)

    def answer(self, train, holdout):
        if self.budget < 1:
            return None
        eta = self.laplace(2 * self.sigma)
        if abs(holdout - train) <= self.noisy_threshold + eta:
            return train
        xi = self.laplace(self.sigma)
        self.noisy_threshold = self.threshold + self.laplace(2 * self.sigma)
        self.budget -= 1
        return holdout + xi
