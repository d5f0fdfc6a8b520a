"""Pays for every query, also for those that the training set answers."""


class Thresholdout:
    def __init__(self, threshold, sigma, budget, laplace):
        self.threshold, self.sigma, self.laplace = threshold, sigma, laplace
        self.budget = budget
        self.noisy_threshold = threshold + laplace(2 * sigma)

    def answer(self, train, holdout):
        if self.budget < 1:
            return None
        self.budget -= 1
        eta = self.laplace(4 * self.sigma)
        if abs(holdout - train) <= self.noisy_threshold + eta:
            return train
        xi = self.laplace(self.sigma)
        self.noisy_threshold = self.threshold + self.laplace(2 * self.sigma)
        return holdout + xi
