"""The NCF paper's models on its ml-1m: GMF, MLP, and NeuMF from scratch and pretrained, beside the published figures.

X. He et al., Neural Collaborative Filtering, WWW 2017: MLP from table 3 (three hidden layers), NeuMF from table 2. GMF
is published as a curve only; the figure for 32 factors is that of a widely used reimplementation (guoyang9/NCF). The
paper takes the epoch that is best on the test item; here it is chosen on validation, and the validation items are
missing in training. Unlike the paper's, the head's weights of the GMF tower are fixed to ones (`trainer.gmf_head`), and
L2 is used; what is pretrained begins one step earlier, as its GMF tower starts from ALS (`pretraining: als_towers`).
"""

from collections.abc import Sequence

import click

from benchmarks.harness import Result, evaluated_run

PUBLISHED_HR = {
    "gmf": {32: 0.708},
    "mlp": {8: 0.671, 16: 0.684, 32: 0.692, 64: 0.702},
    "neumf": {8: 0.688, 16: 0.696, 32: 0.701, 64: 0.705},
    "neumf_pretrained": {8: 0.684, 16: 0.707, 32: 0.726, 64: 0.730},
}
TOLERANCE = 0.01

# Chosen on the validation items: the wider the GMF tower, the more it over-fits.
GMF_L2 = {8: 0.001, 16: 0.003, 32: 0.005, 64: 0.01}
# Likewise: with 8 factors the MLP is the better tower, with more the GMF.
GMF_SHARE = {8: 0.3, 16: 0.7, 32: 0.7, 64: 0.7}
TOWERS_RATE = {8: 0.004, 16: 0.002, 32: 0.002, 64: 0.002}
# On validation, training on betters the fused towers by next to nothing, and soon over-fits at higher rates.
FINE_TUNING_RATE = 0.00005


@click.command(help=__doc__)
@click.option("--config", default="configs/ml-1m-paper.yaml", show_default=True, help="What the models share.")
@click.option("--set", "assignments", multiple=True, metavar="SECTION.KEY=VALUE", help="Set one value on top of it.")
@click.option("--factors", default="8,16,32,64", show_default=True, help="Predictive factors, separated by commas.")
@click.option("--models", default=",".join(PUBLISHED_HR), show_default=True, help="Models, separated by commas.")
def command(config: str, assignments: Sequence[str], factors: str, models: str) -> list[Result]:
    """Trains each model once and takes the figures from what the pipeline wrote."""
    results = []
    for width in map(int, factors.split(",")):
        for model in models.split(","):
            run = evaluated_run(config, [*assignments, *_settings(model, width)])
            found, published = run.evaluation.model.sampled, PUBLISHED_HR[model].get(width)
            name = f"{model}_{width}"
            bar = None if published is None else round(published - TOLERANCE, 3)
            results.append(Result(f"{name}_hr10", found["HR@10"], "", bar))
            if published is not None:
                results.append(Result(f"{name}_hr10_published", published, ""))
            results.append(Result(f"{name}_ndcg10", found["NDCG@10"], ""))
            results.append(Result(f"{name}_training", run.history.seconds, "s"))
    return results


def _settings(model: str, factors: int) -> list[str]:
    """What makes one model: an MLP tower halves its width in each of three layers, down to the factors."""
    layers = ",".join(str(factors * times) for times in (8, 4, 2, 1))
    shared = [f"trainer.gmf_l2={GMF_L2.get(factors, 0.005)}"]
    return (
        shared
        + {
            "gmf": [f"trainer.num_factors={factors}", "trainer.layers=[]"],
            "mlp": ["trainer.num_factors=0", f"trainer.layers=[{layers}]"],
            "neumf": [f"trainer.num_factors={factors}", f"trainer.layers=[{layers}]"],
            "neumf_pretrained": [
                f"trainer.num_factors={factors}",
                f"trainer.layers=[{layers}]",
                "trainer.pretraining=als_towers",
                f"trainer.pretraining_gmf_share={GMF_SHARE.get(factors, 0.7)}",
                f"trainer.pretraining_learning_rate={TOWERS_RATE.get(factors, 0.002)}",
                f"trainer.learning_rate={FINE_TUNING_RATE}",
            ],
        }[model]
    )
