"""Checks against eigenvalues of the iteration itself, in which the velocity is not eliminated."""

import numpy as np

import theorytk as tk
from theorytk.classroom import Wrong, array, check, close, picture, same
from theorytk.diffusion import adams_bashforth_weights

PAPER = "wizadwongsa2024momentum"
QUESTION = (
    "Prove that for r = 1 the method is stable inside the curve and nowhere else. Where does the "
    "proof use that the product of the roots is 1 - beta?"
)


def _growth(z, r, beta):
    """Return the spectral radius of the map of (y_n, ..., y_{n-r+1}, v_{n-1}) to the next."""
    z = np.asarray(z, dtype=complex)
    weights = [float(c) for c in adams_bashforth_weights(r)]
    step = np.zeros((*z.shape, r + 1, r + 1), dtype=complex)
    for j, c in enumerate(weights):
        step[..., r, j] = beta * z * c
        step[..., 0, j] = beta * z * c
    step[..., r, r] = step[..., 0, r] = 1 - beta
    step[..., 0, 0] += 1
    for j in range(1, r):
        step[..., j, j - 1] = 1
    return np.abs(np.linalg.eigvals(step)).max(axis=-1)


def _limit(r, beta):
    """Return the real limit by following the eigenvalues."""
    far = -0.01
    while _growth(far * 1.02, r, beta) < 1:
        far *= 1.02
    near, far = far, far * 1.02
    for _ in range(60):
        middle = (near + far) / 2
        near, far = (middle, far) if _growth(middle, r, beta) < 1 else (near, middle)
    return near


def _cases(rng, n):
    orders = 1 + np.arange(n) % 4
    return [(int(r), float(b)) for r, b in zip(orders, rng.uniform(0.1, 1.0, n), strict=True)]


def _polynomials(student, r, beta):
    found = student.polynomials(r, beta)
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise Wrong("polynomials(r, beta) must return a pair: the arrays rho and sigma")
    rho = array(found[0], "the first array of polynomials(r, beta)", shape=(None,))
    sigma = array(found[1], "the second array of polynomials(r, beta)", shape=rho.shape)
    if not 3 <= len(rho) <= 10 or rho[0] != 1 or sigma[0] != 0:
        raise Wrong(
            "polynomials(r, beta) must return two arrays whose first entries belong to the newest "
            f"y: 1 and, as the method is explicit, 0; got {rho} and {sigma}"
        )
    return rho, sigma


@check(points=2)
def elimination(student, rng):
    """The polynomials without the velocity.

    The velocity is a difference of two states over h. How many states does the recurrence need?
    """
    for r, beta in _cases(rng, 8):
        rho, sigma = _polynomials(student, r, beta)
        z = rng.uniform(-2.0, 0.5, 6) + 1j * rng.uniform(-1.5, 1.5, 6)
        found = [np.abs(np.roots(rho - one * sigma)).max() for one in z]
        name, given = "the largest root of your polynomial", f"r = {r}, beta = {beta:.3g}"
        close(found, _growth(z, r, beta), name, rtol=1e-6, given=given)


@check(points=1)
def claim(student, rng):
    """The claim of the library, judged with the student's polynomials.

    The toolkit follows the roots of the polynomials and asks whether -1 is the first to leave.
    """
    for r in range(1, 5):
        _polynomials(student, r, 0.5)

    def algorithm(order, damping):
        rho, sigma = student.polynomials(order, damping)
        return [float(c) for c in rho], [float(c) for c in sigma]

    seed = int(rng.integers(2**31))
    [result] = tk.check("sampler-stability/real-limits", algorithm=algorithm, seed=seed)
    if str(result.verdict) != "supported":
        raise Wrong(f"with your polynomials {result.claim.id} is {result.verdict}")


@check(points=3)
def limits(student, rng):
    """The real limit, for twenty pairs of r and beta.

    Put xi = -1 into both polynomials. What is the sum of the weights with alternating signs?
    """
    for r, beta in _cases(rng, 20):
        given = f"r = {r}, beta = {beta:.3g}"
        found = student.real_limit(r, beta)
        close(found, _limit(r, beta), "real_limit(r, beta)", rtol=1e-6, given=given)


@check(points=3)
def region(student, rng):
    """The region of stability for r = 1, at points of the plane.

    With |xi| = 1 real and imaginary part of xi + (1 - beta) / xi are a cosine and a sine with
    two factors. Which are they?
    """
    for beta in (1.0, *rng.uniform(0.15, 0.95, 5)):
        width = 2.4 / beta
        z = -width * rng.uniform(-0.1, 1.1, 4000) + 1j * rng.uniform(-1.4, 1.4, 4000)
        growth = _growth(z, 1, beta)
        z, stable = z[np.abs(growth - 1) > 1e-9], growth[np.abs(growth - 1) > 1e-9] < 1
        found = np.asarray(student.inside(z.copy(), float(beta)))
        if found.shape != z.shape or found.dtype != bool:
            raise Wrong("inside(z, beta) must return a bool array of the shape of z")
        wrong = np.flatnonzero(found != stable)
        if wrong.size:
            share = wrong.size / z.size
            raise Wrong(
                f"inside(z, beta) is wrong at {share:.2%} of the points, such as "
                f"z = {z[wrong[0]]:.3g}, for beta = {beta:.3g}"
            )
    shape = np.shape(student.inside(np.zeros((2, 0), dtype=complex), 0.5))
    same(shape, (2, 0), "the shape of inside(empty, 0.5)")


@check(points=1)
def areas(student, rng):
    """The area of the region, against a count of stable points of a grid.

    It is known once the two half-axes are.
    """
    for beta in (1.0, *rng.uniform(0.15, 0.95, 3)):
        x, y = np.linspace(-2.2 * (2 - beta) / beta, 0.1, 301), np.linspace(-1.1, 1.1, 301)
        stable = _growth(x[:, None] + 1j * y, 1, beta) < 1
        counted = stable.sum() * (x[1] - x[0]) * (y[1] - y[0])
        given = f"beta = {beta:.3g}"
        close(student.area(float(beta)), counted, "area(beta)", rtol=0.01, given=given)


@picture
def regions(student, rng, figure):
    left, right = figure.subplots(1, 2)
    x, y = np.linspace(-10.0, 0.5, 400), np.linspace(-1.5, 1.5, 300)
    z = x + 1j * y[:, None]
    colours = {0.35: "tab:green", 0.5: "tab:orange", 0.8: "tab:blue", 1.0: "black"}
    for beta, colour in colours.items():
        stable = np.asarray(student.inside(z, beta), dtype=float)
        left.contour(x, y, stable, levels=[0.5], colors=colour)
        left.plot([], [], color=colour, label=rf"$\beta = {beta}$")
    left.set(xlabel=r"real part of $z$ (1)", ylabel=r"imaginary part of $z$ (1)")
    left.legend(loc="lower left", fontsize="small")
    beta = np.linspace(0.1, 1.0, 50)
    for r in range(1, 5):
        limits = [student.real_limit(r, float(b)) for b in beta]
        right.semilogy(beta, np.negative(limits), label=f"$r = {r}$")
    right.set(xlabel=r"damping $\beta$ (1)", ylabel="stable interval, length (1)")
    right.legend(fontsize="small")
