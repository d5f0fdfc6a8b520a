"""The paper behind this topic, and what is done about its results."""

from __future__ import annotations

from theorytk.registry import Covered, Paper, papers

TOPIC = "kinetic-optimal-paths"


def covered(item, status, note, *names):
    """Return a coverage entry whose claims and figures are named without the topic."""
    return Covered(item, status, note, tuple(f"{TOPIC}/{name}" for name in names))


papers.add(
    Paper(
        id="shaul2023",
        topic=TOPIC,
        title="On Kinetic Optimal Probability Paths for Generative Models",
        authors=(
            "Neta Shaul",
            "Ricky T. Q. Chen",
            "Maximilian Nickel",
            "Matthew Le",
            "Yaron Lipman",
        ),
        year=2023,
        venue="International Conference on Machine Learning",
        arxiv="2306.06626",
        url="https://proceedings.mlr.press/v202/shaul23a.html",
        summary="Among the Gaussian paths $a_tx_1+m_tx_0$ from noise to data the kinetic energy of "
        "the marginal velocity depends on the data only by one function $\\lambda(a/m)$, how well "
        "noisy data are told apart. The path of least energy follows from it, and tends to the "
        "straight path $a=t$, $m=1-t$ of Cond-OT as the dimension grows.",
        coverage=(
            covered(
                "Decomposition of the kinetic energy, eqs (18) to (21)",
                "verified",
                "By simulation of the marginal velocity; closed forms for four paths are ours.",
                "energy-decomposition",
                "named-energies",
                "path-order",
                "energies",
            ),
            covered(
                "Theorem 3.1: the kinetic-optimal path",
                "verified",
                "Its constant $b$ is the least energy, $2-2\\cos\\Phi$, ours. It is found in "
                "three ways. When it is optimal transport, and how it starts, is ours too.",
                "energy-closed-form",
                "stationary",
                "minimum",
                "euler-lagrange",
                "discrete-minimum",
                "optimal-transport",
                "two-eigenvalue-path",
                "one-euler-step",
                "above-transport",
                "start-exponent",
                "information-dimension",
            ),
            covered(
                "Hypothesis of Theorem 3.1: data as separated as a Gaussian at least",
                "verified",
                "It always holds, for every law of second moment $d$.",
                "above-gaussian",
            ),
            covered(
                "Theorem 4.1: $\\int|1-\\lambda|\\le3n/\\sqrt d$",
                "verified",
                "The bound holds and its rate in $d$ is attained. That in $n$ is not: "
                "$\\sqrt{\\ln n}$ is, by a bound of ours.",
                "paper-bound",
                "rate-in-dimension",
                "rate-in-points",
                "entropy-bound",
                "capacity-tightness",
                "sum-rule",
                "estimates-obey-sum-rule",
                "separation-bounds",
            ),
            covered(
                "Theorem 4.2 and Corollary 4.3: Cond-OT is asymptotically optimal",
                "verified",
                "With $\\delta$ in the place of its bound; the certificate of the gap is ours.",
                "conditional-energy-range",
                "condot-certificate",
            ),
            covered(
                "Figure 1: paths of ImageNet 8 to 64",
                "re-created",
                "Gaussian points with a decaying spectrum, of 12 to 768 dimensions, for images.",
                "growing-dimension",
            ),
            covered(
                "Figure 2: the checkerboard in few steps",
                "re-created",
                "With the exact posterior mean of the 8 squares for a network. The optimum beats "
                "Cond-OT; the trigonometric path is as close to the data, and with 16 steps has "
                "fewer samples outside the squares.",
                "few-steps-beat-condot",
                "few-steps-inside",
                "more-steps-outside",
                "checkerboard",
            ),
            covered(
                "Figure 3: optimal paths of four data sets",
                "re-created",
                "The path tends to Cond-OT as the dimension grows, on data without images.",
                "growing-dimension",
            ),
            covered(
                "Figure 4: stability of $\\hat\\lambda$ in $n$ and $k$",
                "re-created",
                "With fewer points, of Gaussian data, and all of them in every posterior.",
                "stability",
            ),
            covered(
                "Table 1: likelihood, energy, FID and evaluations on CIFAR-10 and ImageNet-32",
                "not reproducible",
                "It needs image data and networks trained on GPUs. Its energies, near 1.1 for "
                "Cond-OT, cannot be those of the empirical law: 50 000 normalised points in 3072 "
                "dimensions force 1.916 and more by the entropy bound.",
            ),
            covered(
                "Tables 2 and 4: training settings, and seconds to compute $\\lambda$ on a GPU",
                "not reproducible",
                "Nothing is trained here, and wall time on other hardware is no claim; "
                "`benchmarks/` times the estimate on one core.",
            ),
        ),
    )
)
