"""The independent computation: SciPy, scikit-learn and numpy on the same numbers. Reads {"what": …, …} from standard input, prints JSON."""
import json
import sys

import numpy as np
from scipy import stats
from sklearn import metrics


def intervals(ask):
    out = []
    for k, n in ask["counts"]:
        # SciPy's proportion_ci cannot take very many attempts; beta quantiles are its definition.
        exact = [0.0 if k == 0 else stats.beta.ppf(0.025, k, n - k + 1), 1.0 if k == n else stats.beta.ppf(0.975, k + 1, n - k)]
        if n < 1_000_000:
            ci = stats.binomtest(k, n).proportion_ci(0.95, "exact")
            assert np.allclose(exact, [ci.low, ci.high])
        w = stats.binomtest(k, min(n, 10**9)).proportion_ci(0.95, "wilson") if n < 10**9 else None
        out.append(exact + ([w.low, w.high] if w else [None, None]))
    return out


def functions(ask):
    return {
        "normal": [float(stats.norm.ppf(p)) for p in ask["p"]],
        "chi": [float(stats.chi2.sf(x, d)) for x, d in ask["chi"]],
        "poisson": [int(stats.poisson.ppf(p, m)) for p, m in ask["poisson"]],
    }


def rate_tests(ask):
    return {
        "fisher": [float(stats.fisher_exact([[a, n - a], [b, m - b]])[1]) for a, n, b, m in ask["tables"]],
        "mcnemar": [float(stats.binomtest(b, b + c, 0.5).pvalue) for b, c in ask["discordant"]],
        "visible": [visible(*v) for v in ask["visible"]],
    }


def ratios(ask):
    # Katz's logarithmic interval, for counts at which all intervals of a ratio agree to a few percent.
    out = []
    for a, n, b, m in ask["tables"]:
        ci = stats.contingency.relative_risk(a, n, b, m).confidence_interval(0.95)
        out.append([float(ci.low), float(ci.high)])
    return out


def visible(rate, n, m, alpha):
    # Bisection over the other rate until the power of the arcsine test is 0.8.
    low, high = rate, 1.0
    power = lambda p: 1 - stats.norm.cdf(stats.norm.ppf(1 - alpha / 2) - (2 * np.arcsin(np.sqrt(p)) - 2 * np.arcsin(np.sqrt(rate))) * np.sqrt(n * m / (n + m)))
    if power(1.0) < 0.8:
        return None
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if power(middle) < 0.8 else (low, middle)
    return high / rate


def curve(ask):
    mated, other = np.array(ask["mated"]), np.array(ask["nonMated"])
    labels = np.r_[np.ones(len(mated)), np.zeros(len(other))]
    scores = np.r_[mated, other]
    fpr, fnr, thresholds = metrics.det_curve(labels, scores)
    roc_fpr, roc_tpr, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    gap = roc_fpr - (1 - roc_tpr)
    i = int(np.argmax(gap >= 0))
    share = -gap[i - 1] / (gap[i] - gap[i - 1])
    eer = roc_fpr[i - 1] + share * (roc_fpr[i] - roc_fpr[i - 1])
    return {"fpr": fpr.tolist(), "fnr": fnr.tolist(), "thresholds": thresholds.tolist(), "eer": float(eer)}


def differentials(ask):
    fp, fn = (np.array([k / n for k, n in ask[kind]]) for kind in ("fp", "fn"))

    def gini(x):
        n = len(x)
        return n / (n - 1) * np.abs(x[:, None] - x[None, :]).sum() / (2 * n * n * x.mean())

    return {
        "maxMin": [fp.max() / fp.min(), fn.max() / fn.min()],
        "maxMean": [fp.max() / stats.gmean(fp), fn.max() / stats.gmean(fn)],
        "gini": [gini(fp), gini(fn)],
        "fdr": 1 - (0.5 * (fp.max() - fp.min()) + 0.5 * (fn.max() - fn.min())),
        "garbe": 0.5 * gini(fp) + 0.5 * gini(fn),
    }


def bootstrap(ask):
    rng = np.random.default_rng(1)
    e, n = np.array(ask["errors"]), np.array(ask["attempts"])
    draws = rng.integers(0, len(e), (20000, len(e)))
    rates = e[draws].sum(1) / n[draws].sum(1)
    return [float(v) for v in np.percentile(rates, [2.5, 97.5])]


def pair_bootstrap(ask):
    rng = np.random.default_rng(1)
    images = np.array(ask["images"], float)
    errors = np.zeros((len(images), len(images)))
    for i, j, c in ask["errors"]:
        errors[i, j] += c
    rates = []
    for _ in range(4000):
        w = np.bincount(rng.integers(0, len(images), len(images)), minlength=len(images)).astype(float)
        pairs = np.outer(w * images, w * images)
        total = (pairs.sum() - np.trace(pairs)) / 2
        rates.append((w @ errors @ w) / total)
    return [float(v) for v in np.percentile(rates, [2.5, 97.5])]


def average_precision(ask):
    return float(metrics.average_precision_score(ask["labels"], ask["scores"]))


def calibration(ask):
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import LogisticRegression

    x, y, w = np.array(ask["features"]), np.array(ask["labels"]), np.array(ask["weights"])
    fit = LogisticRegression(C=1 / ask["ridge"], solver="newton-cholesky", tol=1e-12, max_iter=10000).fit(x, y, sample_weight=w)
    llr = np.array(ask["ratios"])
    labels = np.array(ask["ratioLabels"])
    balanced = np.where(labels, 0.5 / labels.sum(), 0.5 / (~labels).sum())
    cllr = metrics.log_loss(labels, 1 / (1 + np.exp(-llr)), sample_weight=balanced) / np.log(2)
    best = IsotonicRegression(y_min=0, y_max=1).fit_transform(llr, labels.astype(float), sample_weight=balanced)
    best = np.where(labels, best, 1 - best)
    prior = ask["prior"]
    odds = np.log(prior / (1 - prior))
    ece = metrics.log_loss(labels, 1 / (1 + np.exp(-llr - odds)), sample_weight=np.where(labels, prior / labels.sum(), (1 - prior) / (~labels).sum())) / np.log(2)
    return {"weights": [float(fit.intercept_[0]), *map(float, fit.coef_[0])], "cllr": float(cllr), "min": float(-(balanced * np.log2(best)).sum()), "ece": float(ece)}


def statistic_bootstrap(ask):
    rng = np.random.default_rng(1)
    sums, counts = np.array(ask["sums"]), np.array(ask["counts"])
    draws = rng.integers(0, len(sums), (20000, len(sums)))
    return [float(v) for v in np.percentile(sums[draws].sum(1) / counts[draws].sum(1), [2.5, 97.5])]


def power(ask):
    out = []
    for p, n, q, m, alpha in ask["cases"]:
        n, m = int(n), int(m)
        if n + m <= 200:
            a, b = stats.binom.pmf(range(n + 1), n, p), stats.binom.pmf(range(m + 1), m, q)
            # Only tables that matter: SciPy's test takes a while.
            out.append(float(sum(a[i] * b[j] for i in range(n + 1) for j in range(m + 1) if a[i] * b[j] > 1e-12 and stats.fisher_exact([[i, n - i], [j, m - j]])[1] <= alpha)))
            continue
        pooled, each = (p * n + q * m) / (n + m), 1 / n + 1 / m
        far = abs(p - q) - each / 2 - stats.norm.ppf(1 - alpha / 2) * np.sqrt(pooled * (1 - pooled) * each)
        out.append(float(stats.norm.cdf(far / np.sqrt(p * (1 - p) / n + q * (1 - q) / m))))
    return {"power": out}


def shifts(ask):
    out = []
    for x, y in ask["pairs"]:
        x, y = np.array(x), np.array(y)
        d = np.sort(np.subtract.outer(x, y).ravel())
        exact = len(x) + len(y) <= 50
        # The test inverted: shifts that it does not reject, between one difference and the next.
        between = np.r_[d[0] - 1, (d[:-1] + d[1:]) / 2, d[-1] + 1]
        kept = [stats.mannwhitneyu(x - s, y, method="exact" if exact else "asymptotic").pvalue > 0.05 for s in between]
        first, last = kept.index(True), len(kept) - 1 - kept[::-1].index(True)
        out.append([float(np.median(d)), None, None] if first == 0 else [float(np.median(d)), float(d[first - 1]), float(d[last])])
    return {"shifts": out}


ask = json.load(sys.stdin)
json.dump(globals()[ask["what"]](ask), sys.stdout)
