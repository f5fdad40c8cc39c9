"""What the next corrected sentences will bring: a power law fitted to the learning curve, with a bootstrap interval.

F1 is taken to approach a limit as the number of sentences grows: F(n) = limit - gap * n ** -decay, the inverse power
law of Figueroa, Zeng-Treitler, Kandula and Ngo (2012, Predicting sample size required for classification performance,
DOI 10.1186/1472-6947-12-8), fitted by least squares weighted by n, since later points tell more of what comes.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Sequence, Tuple

import numpy
from numpy.typing import NDArray

from ..errors import BionerError, Errors
from ..evaluation.intervals import Interval, find_interval

Values = NDArray[numpy.float64]
# Three numbers are fitted; with a point more the rest says how far the points lie from the curve.
LEAST_SIZES = 4
_PARAMETERS = 3
_DECAYS = numpy.geomspace(0.05, 2.0, 40)


class Advice(str, Enum):
    """Whether to go on correcting."""

    stop = "stop"
    go_on = "go on"
    unclear = "unclear"


@dataclass(frozen=True)
class PowerLaw:
    """A fitted learning curve.

    limit (float): F1 that it approaches, at most 1.
    gap (float): How far below one sentence is, at least 0.
    decay (float): How fast the gap closes.
    """

    limit: float
    gap: float
    decay: float

    def at(self, sentences: Values) -> Values:
        """Return F1 at numbers of sentences."""
        return self.limit - self.gap * numpy.asarray(sentences, dtype="float64") ** -self.decay


@dataclass(frozen=True)
class Forecast:
    """What more sentences bring.

    sentences (int): Sentences now.
    more (int): How many more.
    f1 (float): F1 now, by the curve.
    gain (float): What the next ones bring, by the curve.
    interval (Interval): Where that gain lies, with 95% confidence.
    law (PowerLaw): The curve.
    advice (Advice): Stop where even the upper end is below what is worth it, go on where the lower end is above.
    """

    sentences: int
    more: int
    f1: float
    gain: float
    interval: Interval
    law: PowerLaw
    advice: Advice


def fit_power_law(sentences: Values, f1: Values) -> PowerLaw:
    """Fit the curve: for each decay the best limit and gap in closed form.

    sentences (Values): Number of sentences of each point.
    f1 (Values): Its F1, 0 to 1.
    RETURNS (PowerLaw): The best of all.
    """
    size, score = numpy.asarray(sentences, dtype="float64"), numpy.asarray(f1, dtype="float64")
    weight = size / size.sum()
    basis = size ** -_DECAYS[:, None]
    mean_basis, mean_score = basis @ weight, float(score @ weight)
    spread = ((basis - mean_basis[:, None]) ** 2) @ weight
    slope = ((basis - mean_basis[:, None]) * (score - mean_score)) @ weight / numpy.maximum(spread, 1e-12)
    gap = numpy.maximum(-slope, 0.0)
    limit = mean_score + gap * mean_basis
    # No F1 is above 1: where the best limit is, the best gap for a limit of 1 is taken.
    above = limit > 1
    gap[above] = ((1 - score) * basis[above]) @ weight / numpy.maximum((basis[above] ** 2) @ weight, 1e-12)
    limit[above] = 1.0
    errors = ((limit[:, None] - gap[:, None] * basis - score) ** 2) @ weight
    best = int(errors.argmin())
    return PowerLaw(float(limit[best]), float(gap[best]), float(_DECAYS[best]))


def forecast(points: Sequence[Tuple[int, float]], *, more: int, worth: float, seed: int = 0,
             resamples: int = 1000) -> Forecast:
    """Say what the next sentences bring, and whether that is worth it.

    Trainings on the same sentences share what is special about these, so their F1 is averaged and counts as one point.
    The interval is a bootstrap of the residuals of these points (Efron and Tibshirani 1993, An introduction to the
    bootstrap, chapter 9, DOI 10.1201/9780429246593), centred and widened for the three numbers that were fitted. Few
    points do not tell how large residuals are: each resample is scaled as in Student's t-distribution. The interval is
    about the curve: the F1 of a single training scatters around that.

    points (Sequence[Tuple[int, float]]): Number of sentences and F1 (0 to 1), any number of points for each.
    more (int): How many sentences come next.
    worth (float): Gain of F1 (0 to 1) below which they are not worth it.
    seed (int): Of the bootstrap.
    resamples (int): How often to draw.
    RETURNS (Forecast): The forecast for the largest number of sentences.
    RAISES BionerError: E904 for points of fewer than four numbers of sentences.
    """
    sizes = sorted({size for size, _ in points})
    if len(sizes) < LEAST_SIZES:
        raise BionerError(Errors.E904.format(count=len(sizes), wanted=LEAST_SIZES))
    size = numpy.asarray(sizes, dtype="float64")
    score = numpy.asarray([numpy.mean([f1 for at, f1 in points if at == one]) for one in sizes])
    law = fit_power_law(size, score)
    fitted = law.at(size)
    # Errors shrink as the curve flattens; scaled by the root of n they are alike, as the weights of the fit say.
    residuals, freedom = (score - fitted) * numpy.sqrt(size), len(size) - _PARAMETERS
    residuals = (residuals - residuals.mean()) * numpy.sqrt(len(size) / freedom)
    ends = numpy.asarray([sizes[-1], sizes[-1] + more], dtype="float64")
    random = numpy.random.default_rng(seed)
    gains = numpy.empty(resamples)
    for number in range(resamples):
        scale = numpy.sqrt(freedom / random.chisquare(freedom))
        drawn = fitted + scale * random.choice(residuals, size=len(size)) / numpy.sqrt(size)
        now, then = fit_power_law(size, drawn).at(ends)
        gains[number] = then - now
    now, then = law.at(ends)
    interval = find_interval(gains)
    advice = Advice.stop if interval.high < worth else Advice.go_on if interval.low >= worth else Advice.unclear
    return Forecast(sizes[-1], more, float(now), float(then - now), interval, law, advice)
