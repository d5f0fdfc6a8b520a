"""The paper behind this topic, and what is done about its results."""

from __future__ import annotations

from theorytk.registry import Covered, Paper, papers

TOPIC = "self-consuming-curation"


def covered(item, status, note, *names):
    """Return a coverage entry whose claims and figures are named without the topic."""
    return Covered(item, status, note, tuple(f"{TOPIC}/{name}" for name in names))


papers.add(
    Paper(
        id="ferbach2024",
        topic=TOPIC,
        title="Self-Consuming Generative Models with Curated Data Provably Optimize Human "
        "Preferences",
        authors=("Damien Ferbach", "Quentin Bertrand", "Avishek Joey Bose", "Gauthier Gidel"),
        year=2024,
        venue="NeurIPS 2024",
        arxiv="2407.09499",
        url="https://arxiv.org/abs/2407.09499",
        summary="A generative model is retrained on its own samples, of which users keep one out "
        "of K. Retraining on them alone maximises the users' reward, in expectation and with a "
        "variance that vanishes; with real data mixed in the reward still grows and the model "
        "stays near them.",
        coverage=(
            covered(
                "Curation by the generalised Bradley-Terry model of K samples",
                "verified",
                "Exactly for every K, by a quadrature of ours, and by simulated users.",
                "exact-weights",
                "luce-choice",
            ),
            covered(
                "Limit of many samples; link with reinforcement learning from human feedback",
                "verified",
                "With the rate 1/K and its constant, which are ours. The theorem numbers and "
                "constants of the paper were not at hand for this and the following entries.",
                "tilt",
                "human-feedback",
                "many-samples-rate",
            ),
            covered(
                "Increase of the expected reward in one generation",
                "verified",
                "With an upper bound of the same form and stochastic dominance, which are ours.",
                "one-step-gain",
                "gain-from-above",
                "first-order-dominance",
            ),
            covered(
                "Limit without real data: the reward is maximised, its variance vanishes",
                "verified",
                "With the rates with and without mass at the best reward, which are ours.",
                "top-level",
                "divergence-from-limit",
                "geometric-rate",
                "uniform-reward",
                "one-over-t",
            ),
            covered(
                "Stability with real data: bound on the divergence",
                "verified",
                "With a larger threshold of ours, which is sharp, a unique fixed point below it "
                "and what is observed beyond.",
                "printed-divergence",
                "divergence",
                "density-ratio",
                "contraction",
                "threshold",
                "one-fixed-point",
            ),
            covered(
                "Reward with real data",
                "verified",
                "With a larger factor of ours.",
                "printed-gain",
                "gain-with-real-data",
                "reference-dominance",
                "reward-never-falls",
            ),
            covered("Retraining without curation", "verified", "Exactly.", "uncurated"),
            covered(
                "Mixture of Gaussians and two moons, with and without real data",
                "re-created",
                "The exact map on a grid in the place of trained networks; the slope of the reward "
                "is ours.",
                "level-sets",
                "reward-over-generations",
            ),
            covered(
                "CIFAR-10: class shares and reward, with and without real data",
                "re-created",
                "Ten synthetic classes with Beta distributed confidences; training of image models "
                "needs a GPU, and the classifiers and parameters are not at hand.",
                "class-shares",
                "bias-grows",
                "share-floor",
                "real-data-limit-bias",
            ),
            covered(
                "CIFAR-10: FID, precision and recall over generations",
                "not reproducible",
                "Needs image models; finite training sets are studied on atoms and in the plane.",
                "finite-sample-drift",
                "finite-training-sets",
            ),
        ),
    )
)
