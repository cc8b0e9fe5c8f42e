"""NeuMF in PyTorch as one usually writes it."""

import itertools
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.neumf import Model, Shape
from benchmarks.peers.timing import COMPILED, EAGER, SPARSE, Setting, examples_per_second
from benchmarks.weights import UsualWeights
from components.shared.parallel import cores


class NeuMF(nn.Module):
    """A GMF and an MLP tower with embeddings of their own, side by side before one linear unit."""

    def __init__(self, shape: Shape, factors: int, layers: tuple[int, ...], sparse: bool = False):
        super().__init__()
        half = layers[0] // 2
        self.gmf_user, self.mlp_user = (nn.Embedding(shape.users, width, sparse=sparse) for width in (factors, half))
        self.gmf_item, self.mlp_item = (nn.Embedding(shape.items, width, sparse=sparse) for width in (factors, half))
        self.mlp = nn.Sequential(
            *itertools.chain.from_iterable((nn.Linear(a, b), nn.ReLU()) for a, b in itertools.pairwise(layers))
        )
        self.head = nn.Linear(factors + layers[-1], 1)
        for table in (self.gmf_user, self.gmf_item, self.mlp_user, self.mlp_item):
            nn.init.normal_(table.weight, std=0.01)

    def forward(self, user: Tensor, item: Tensor) -> Tensor:
        """Logits [B] of pairs."""
        gmf = self.gmf_user(user) * self.gmf_item(item)
        mlp = self.mlp(torch.cat([self.mlp_user(user), self.mlp_item(item)], dim=-1))
        return self.head(torch.cat([gmf, mlp], dim=-1)).squeeze(-1)

    def tables(self) -> Iterator[nn.Parameter]:
        """The weights of the embeddings."""
        return (module.weight for module in self.modules() if isinstance(module, nn.Embedding))


def with_weights(shape: Shape, model: Model, weights: UsualWeights) -> NeuMF:
    """The network with given weights."""
    neumf = NeuMF(shape, model.factors, model.layers)
    linears = [module for module in neumf.mlp if isinstance(module, nn.Linear)]
    layers = {f"dense_{position}": linear for position, linear in enumerate(linears, start=1)} | {"head": neumf.head}
    with torch.no_grad():
        for name in ("gmf_user", "gmf_item", "mlp_user", "mlp_item"):
            neumf.get_submodule(name).weight.copy_(torch.from_numpy(weights[name][0]))
        for name, linear in layers.items():
            kernel, bias = (torch.from_numpy(array) for array in weights[name])
            linear.weight.copy_(kernel.T)
            linear.bias.copy_(bias)
    return neumf


def scores(neumf: NeuMF, user: np.ndarray, item: np.ndarray, block: int) -> np.ndarray:
    """Logits float32 [n] of pairs, so many at once."""
    prepare()
    columns = (torch.from_numpy(column).long().split(block) for column in (user, item))
    with torch.no_grad():
        return torch.cat([neumf(*pairs) for pairs in zip(*columns, strict=True)]).numpy()


def _optimizers(neumf: NeuMF, model: Model, way: str) -> list[torch.optim.Optimizer]:
    adam = {"lr": model.learning_rate, "betas": (model.beta_1, model.beta_2), "eps": model.epsilon}
    if way != SPARSE:
        return [torch.optim.Adam(neumf.parameters(), fused=way != EAGER, **adam)]
    tables = list(neumf.tables())
    dense = [weight for weight in neumf.parameters() if not any(weight is table for table in tables)]
    return [torch.optim.SparseAdam(tables, **adam), torch.optim.Adam(dense, fused=True, **adam)]


def training_step(
    neumf: NeuMF, model: Model, way: str, columns: tuple[Tensor, Tensor, Tensor], batch_size: int
) -> Callable[[int], None]:
    """A function that takes the training step on the batch at a position.

    Args:
      neumf: what is trained.
      model: its settings of Adam.
      way: one of those in `benchmarks.peers.timing`.
      columns: users and items, int64 [n], labels float32 [n].
      batch_size: rows of a batch.
    """
    optimizers = _optimizers(neumf, model, way)
    loss_of = nn.BCEWithLogitsLoss()

    def loss(user: Tensor, item: Tensor, label: Tensor) -> Tensor:
        return loss_of(neumf(user, item), label)

    compiled = torch.compile(loss) if way == COMPILED else loss
    batches = list(zip(*(column.split(batch_size) for column in columns), strict=True))

    def step(position: int) -> None:
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        compiled(*batches[position]).backward()
        for optimizer in optimizers:
            optimizer.step()

    return step


def as_tensors(columns: tuple[np.ndarray, ...], device: str = "cpu") -> tuple[Tensor, Tensor, Tensor]:
    """Users, items and labels as PyTorch takes them, on a device."""
    user, item, label = (torch.from_numpy(column).to(device) for column in columns)
    return user.long(), item.long(), label.float()


def training_speed(
    setting: Setting,
    model: Model,
    shape: Shape,
    columns: tuple[np.ndarray, ...],
    seconds: float,
    device: str = "cpu",
) -> float:
    """Examples a second with the data in the device's memory as tensors already; on a CPU, on all its cores."""
    prepare()
    torch.manual_seed(0)
    neumf = NeuMF(shape, model.factors, model.layers, sparse=setting.way == SPARSE).to(device)
    take_step = training_step(neumf, model, setting.way, as_tensors(columns, device), setting.batch_size)

    def step(position: int) -> None:
        take_step(position)
        if device != "cpu":
            torch.cuda.synchronize()

    return examples_per_second(step, setting.batch_size, len(columns[0]) // setting.batch_size, seconds)


def prepare() -> None:
    """All cores; no denormal numbers, which slow a CPU down a hundredfold; TF32 on a GPU, as JAX has it by default."""
    torch.set_num_threads(cores())
    torch.set_flush_denormal(True)
    torch.backends.cuda.matmul.allow_tf32 = True


def product(size: int) -> Callable[[], Tensor]:
    """A matrix product to time."""
    prepare()
    matrix = torch.randn(size, size)
    return partial(torch.mm, matrix, matrix, out=torch.empty(size, size))
