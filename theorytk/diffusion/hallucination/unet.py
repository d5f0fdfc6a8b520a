"""A U-Net for small images such as Simple Shapes, in PyTorch; needs ``theorytk[torch]``.

It is trained by :func:`~theorytk.diffusion.hallucination.torch.train_network` and samples as a
:class:`~theorytk.diffusion.hallucination.torch.NetworkDenoiser`.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from theorytk._validation import check_int
from theorytk.diffusion.hallucination.torch import initialise, label_features, label_rates
from theorytk.diffusion.torch import import_torch

if TYPE_CHECKING:
    import torch

__all__ = ["shapes_unet"]

GROUPS = 4  # of channels, in each normalisation


def shapes_unet(
    side: int = 64,
    *,
    width: int = 32,
    n_resolutions: int = 3,
    rng: int | np.random.Generator | None = None,
) -> torch.nn.Module:
    """Return a U-Net for square images of one channel.

    A residual block at each resolution on the way down, two in the middle, and one at each on the
    way up, which also sees what the way down had there. Channels double as the resolution halves.
    Move it to a device, and train it there.

    Parameters
    ----------
    side : int
        Pixels on a side, a multiple of 2^(n_resolutions - 1).
    width : int
        Channels at the full resolution, a multiple of 4.
    n_resolutions : int
        How many resolutions there are, >= 1.
    rng : int, Generator or None
        Random state of the weights. Those of the last layer are 0, so that training begins with
        the prediction 0.

    Returns
    -------
    torch.nn.Module
        A function of images as rows (n, side^2) and labels (n,) to the predicted noise, as rows.

    Raises
    ------
    ValueError
        If an argument is not as above.
    ImportError
        Without PyTorch.

    References
    ----------
    Ho, Jain and Abbeel (2020), *Denoising diffusion probabilistic models*, appendix B, without
    attention. The image networks of Aithal et al. (2024) are not in the released code.
    """
    n_resolutions = check_int("n_resolutions", n_resolutions, lower=1)
    side = check_int("side", side, lower=1)
    if side % 2 ** (n_resolutions - 1):
        raise ValueError(f"side must be a multiple of {2 ** (n_resolutions - 1)}; got {side}")
    width = check_int("width", width, lower=GROUPS)
    if width % GROUPS:
        raise ValueError(f"width must be a multiple of {GROUPS}; got {width}")
    torch = import_torch()
    network: Any = _classes()(side, width, n_resolutions)
    initialise(network, rng)
    torch.nn.init.zeros_(network.leave[-1].weight)
    return network


@cache
def _classes() -> Any:
    """Return the class of the network, which needs PyTorch to be defined."""
    torch = import_torch()
    nn = torch.nn

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        """Two convolutions with a skip; the label comes in between."""

        def __init__(self, before: int, after: int, features: int) -> None:
            super().__init__()
            self.enter = nn.Sequential(
                nn.GroupNorm(GROUPS, before), nn.SiLU(), nn.Conv2d(before, after, 3, padding=1)
            )
            self.time = nn.Linear(features, after)
            self.leave = nn.Sequential(
                nn.GroupNorm(GROUPS, after), nn.SiLU(), nn.Conv2d(after, after, 3, padding=1)
            )
            self.skip = nn.Conv2d(before, after, 1) if before != after else nn.Identity()

        def forward(self, x: Any, time: Any) -> Any:
            inner = self.enter(x) + self.time(time)[:, :, None, None]
            return self.skip(x) + self.leave(inner)

    class Network(nn.Module):  # type: ignore[misc, name-defined]
        """Blocks on the way down, in the middle and on the way up."""

        def __init__(self, side: int, width: int, n_resolutions: int) -> None:
            super().__init__()
            self.side, features = side, 4 * width
            channels = [width * 2**i for i in range(n_resolutions)]
            wider = [*channels[1:], channels[-1]]
            self.register_buffer("rates", label_rates(features))
            self.time = nn.Sequential(nn.Linear(features, features), nn.SiLU())
            self.enter = nn.Conv2d(1, width, 3, padding=1)
            self.down = nn.ModuleList(Block(c, c, features) for c in channels)
            self.shrink = nn.ModuleList(
                nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(channels)
            )
            self.middle = nn.ModuleList(Block(channels[-1], channels[-1], features) for _ in "ab")
            self.up = nn.ModuleList(
                Block(b + c, c, features) for b, c in zip(wider, channels, strict=True)
            )
            self.leave = nn.Sequential(
                nn.GroupNorm(GROUPS, width), nn.SiLU(), nn.Conv2d(width, 1, 3, padding=1)
            )

        def forward(self, x: Any, t: Any) -> Any:
            time = self.time(label_features(self.rates, t))
            h, seen = self.enter(x.reshape(-1, 1, self.side, self.side)), []
            for i, block in enumerate(self.down):
                h = block(self.shrink[i - 1](h) if i else h, time)
                seen.append(h)
            for block in self.middle:
                h = block(h, time)
            for i in range(len(seen) - 1, -1, -1):
                h = self.up[i](torch.cat([h, seen[i]], dim=1), time)
                if i:
                    h = nn.functional.interpolate(h, scale_factor=2)
            return self.leave(h).reshape(len(x), -1)

    return Network
