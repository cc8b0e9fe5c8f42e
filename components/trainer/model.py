"""NeuMF in Keras alone, so that the backend stays exchangeable."""

import math
from collections.abc import Sequence
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from components.serving.contract import Weights
from components.shared.json_types import JsonObject
from components.shared.random_streams import stream_key

Tensor = Any
Matrix = npt.NDArray[np.float32]

_ITEMS_AT_ONCE = 2048
_WIDENED = ("user_table", "item_table", "head_kernel")


class NeuMF(keras.Model):
    """Neural matrix factorisation (He et al., Neural Collaborative Filtering, WWW 2017).

    The logit of a pair is `head([p_u * q_i; mlp([e_u; e_i])])`: a GMF tower (element-wise product) and an MLP tower,
    with embeddings of their own, fused by one linear unit.

    Each side has one table, a row being `[GMF part | MLP part]`: one lookup per side. The first dense layer is
    factorised, `[e_u; e_i] W + b = (e_u W_u + b) + e_i W_i`, which is exact: `project_*` applies a side's share to
    rows, so that it can be done once per user or item instead of once per pair, and `score` does the rest.
    """

    def __init__(
        self,
        num_users: int,
        num_items: int,
        num_factors: int,
        layers: Sequence[int],
        embedding_stddev: float = 0.01,
        seed: int = 0,
        gmf_head: Literal["learned", "ones"] = "learned",
        precision: str = "float32",
    ):
        """Makes the model with its initial weights.

        Args:
          num_users: rows of the user table.
          num_items: rows of the item table.
          num_factors: width of the GMF tower; 0 for the MLP tower alone.
          layers: widths of the MLP tower, the first being that of both embeddings together; empty for GMF alone.
          embedding_stddev: of the normal distribution that embeddings start from. Dense layers start as in the
            paper's code: Glorot uniform, and LeCun uniform for the head.
          seed: the run's seed.
          gmf_head: whether the head's weights of the GMF tower are learned, or start as ones and stay.
          precision: of `call`, a Keras policy: with `mixed_*`, activations and matrix products are in half precision,
            weights and logits in float32. It is no part of the model, so not of its configuration.
        """
        super().__init__(name="neumf", dtype=precision)
        self._arguments = {
            "num_users": num_users,
            "num_items": num_items,
            "num_factors": num_factors,
            "layers": list(layers),
            "embedding_stddev": embedding_stddev,
            "seed": seed,
            "gmf_head": gmf_head,
        }
        self.fixed_gmf_head = gmf_head == "ones"
        self.num_factors = num_factors
        self.half = layers[0] // 2 if layers else 0
        hidden = layers[1:]

        def seed_of(name: str) -> int:
            return stream_key(seed, f"initial {name}") % 2**31

        def table(name: str, rows: int) -> Any:
            normal = keras.initializers.RandomNormal(0.0, embedding_stddev, seed=seed_of(name))
            initial = normal if embedding_stddev else "zeros"
            # Not cast as a whole: only the rows of a batch are.
            return self.add_weight(
                shape=(rows, num_factors + self.half), initializer=initial, name=name, autocast=False
            )

        self.user_table = table("user_table", num_users)
        self.item_table = table("item_table", num_items)
        if hidden:
            glorot = keras.initializers.GlorotUniform(seed=seed_of("first_kernel"))
            self.first_kernel = self.add_weight(
                shape=(2 * self.half, hidden[0]), initializer=glorot, name="first_kernel"
            )
            self.first_bias = self.add_weight(shape=(hidden[0],), initializer="zeros", name="first_bias")
        self.dense_layers = [
            keras.layers.Dense(
                width,
                activation="relu",
                kernel_initializer=keras.initializers.GlorotUniform(seed=seed_of(f"dense_{position}")),
                dtype=self.dtype_policy,
                name=f"dense_{position}",
            )
            for position, width in enumerate(hidden[1:], start=2)
        ]
        for layer, width in zip(self.dense_layers, hidden, strict=False):
            layer.build((None, width))
        fused = num_factors + (hidden[-1] if hidden else 0)
        lecun = keras.initializers.LecunUniform(seed=seed_of("head_kernel"))
        self.head_kernel = self.add_weight(shape=(fused, 1), initializer=lecun, name="head_kernel")
        if self.fixed_gmf_head:
            self.head_kernel.assign(ops.where(ops.arange(fused)[:, None] < num_factors, 1.0, self.head_kernel))
        self.head_bias = self.add_weight(shape=(1,), initializer="zeros", name="head_bias", autocast=False)
        self.built = True

    def get_config(self) -> JsonObject:
        return dict(self._arguments)

    def widened(self, users: Sequence[Matrix], items: Sequence[Matrix]) -> "NeuMF":
        """A model whose GMF tower has more factors, which count by their products alone.

        Args:
          users: the further vectors of users, float32 [users, width] each.
          items: those of items, float32 [items, width] each, of the same widths.
        """
        more = sum(vectors.shape[1] for vectors in users)
        wider = NeuMF(**{**self._arguments, "num_factors": self.num_factors + more, "embedding_stddev": 0.0})
        weights = {variable.name: np.array(variable) for variable in self.variables}
        for name, vectors in (("user_table", users), ("item_table", items)):
            gmf, mlp = np.split(weights[name], [self.num_factors], axis=1)
            weights[name] = np.concatenate([gmf, *vectors, mlp], axis=1)
        gmf, mlp = np.split(weights["head_kernel"], [self.num_factors])
        weights["head_kernel"] = np.concatenate([gmf, np.ones((more, 1), np.float32), mlp])
        for variable, mine in zip(wider.variables, self.variables, strict=True):
            # Layers of the MLP have names of their own that are not unique; they stay as they are.
            variable.assign(weights[mine.name] if mine.name in _WIDENED else mine)
        return wider

    @classmethod
    def of_vectors(cls, users: Sequence[Matrix], items: Sequence[Matrix]) -> "NeuMF":
        """A GMF tower alone, whose logits are the products of given vectors.

        Args:
          users: the vectors of users, float32 [users, width] each.
          items: those of items, float32 [items, width] each, of the same widths.
        """
        rows, columns = (np.concatenate(vectors, axis=1) for vectors in (users, items))
        model = cls(len(rows), len(columns), rows.shape[1], (), embedding_stddev=0.0, gmf_head="ones")
        model.user_table.assign(rows)
        model.item_table.assign(columns)
        return model

    def project_users(self, rows: Tensor) -> Tensor:
        """Rows of the user table [..., factors + half] with their share of the first layer [..., factors + width]."""
        if not self.half:
            return rows
        mlp = ops.matmul(rows[..., self.num_factors :], self.first_kernel[: self.half]) + self.first_bias
        return ops.concatenate([rows[..., : self.num_factors], mlp], axis=-1)

    def project_items(self, rows: Tensor) -> Tensor:
        """Rows of the item table [..., factors + half] with their share of the first layer [..., factors + width]."""
        if not self.half:
            return rows
        mlp = ops.matmul(rows[..., self.num_factors :], self.first_kernel[self.half :])
        return ops.concatenate([rows[..., : self.num_factors], mlp], axis=-1)

    def user_rows(self, user: Tensor) -> Tensor:
        """Projected rows of users [...] (int32 indexes)."""
        return self._rows(self.user_table, user, self.project_users)

    def item_rows(self, item: Tensor) -> Tensor:
        """Projected rows of items [...] (int32 indexes)."""
        return self._rows(self.item_table, item, self.project_items)

    def score(self, user_rows: Tensor, item_rows: Tensor) -> Tensor:
        """Logits [...] of pairs of projected rows [..., factors + width], whose leading shapes broadcast."""
        factors = self.num_factors
        # Multiplying the head into the user's factors first saves work where one user meets many items.
        weighted = user_rows[..., :factors] * self._gmf_head()
        gmf = ops.sum(ops.cast(weighted * item_rows[..., :factors], "float32"), axis=-1)
        return gmf + self._mlp(user_rows[..., factors:] + item_rows[..., factors:])

    def score_all(self, user_rows: Tensor, item_rows: Tensor) -> Tensor:
        """Logits [B, n] of all pairs of projected rows [B, factors + width] and [n, factors + width]; n is static."""
        factors = self.num_factors
        weighted = user_rows[:, :factors] * self._gmf_head()
        # Zeros for the other tower's columns: to cut these off would copy the table of all items in each request.
        whole = ops.pad(weighted, ((0, 0), (0, item_rows.shape[1] - factors)))
        gmf = ops.matmul(whole, ops.transpose(item_rows))
        return gmf + self._mlp_of_all(user_rows[:, factors:], item_rows[:, factors:])

    def _mlp_of_all(self, users: Tensor, items: Tensor) -> Tensor:
        """`_mlp` of users [B, width] with every item [n, width]: [B, n], or less that broadcasts."""
        if not self.half:
            return self._mlp(users)
        # One user and some thousand items at a time: as long as they stay in the cache, this takes half the time.
        num_items, width = items.shape
        parts = math.ceil(num_items / _ITEMS_AT_ONCE)
        size = math.ceil(num_items / parts)
        blocks = ops.reshape(ops.pad(items, ((0, parts * size - num_items), (0, 0))), (parts, size, width))
        logits = ops.map(
            lambda step: self._mlp(users[step // parts] + blocks[step % parts]),
            ops.arange(ops.shape(users)[0] * parts),
        )
        return ops.reshape(logits, (-1, parts * size))[:, :num_items]

    def scoring_weights(self, item_rows: Tensor) -> Weights[Tensor] | None:
        """What `score_all` is made of, with the projected rows of all items, [items, factors + width]; None for GMF."""
        if not self.half:
            return None
        return Weights(
            user_table=self.user_table.value,
            item_rows=item_rows,
            first_kernel=self.first_kernel.value,
            first_bias=self.first_bias.value,
            kernels=[layer.kernel.value for layer in self.dense_layers],
            biases=[layer.bias.value for layer in self.dense_layers],
            head_kernel=self.head_kernel.value,
            head_bias=self.head_bias.value,
        )

    def call(self, user: Tensor, item: Tensor) -> Tensor:
        """Logits of pairs: users and items (int32 indexes) whose shapes broadcast."""
        return self.score(self.user_rows(user), self.item_rows(item))

    def _gmf_head(self) -> Tensor:
        """The head's weights [factors] of the GMF tower."""
        head = self.head_kernel[: self.num_factors, 0]
        return ops.stop_gradient(head) if self.fixed_gmf_head else head

    def _mlp(self, hidden: Tensor) -> Tensor:
        """The MLP tower's and the head's bias' share of the logits, from the first layer before its activation."""
        if not self.half:
            return self.head_bias[0]
        hidden = ops.relu(hidden)
        for layer in self.dense_layers:
            hidden = layer(hidden)
        logits = ops.matmul(hidden, self.head_kernel[self.num_factors :])[..., 0]
        return ops.cast(logits, "float32") + self.head_bias[0]

    def _rows(self, table: Any, index: Tensor, project: Any) -> Tensor:
        # Lookups are in float32, so that gradients of a row, however often a batch has it, add up in float32.
        # Projection and lookup commute: project whichever has fewer rows, the table or the batch.
        if None not in index.shape and math.prod(index.shape) > table.shape[0]:
            projected = ops.cast(project(ops.cast(table, self.compute_dtype)), "float32")
            return ops.cast(ops.take(projected, index, axis=0), self.compute_dtype)
        return project(ops.cast(ops.take(table, index, axis=0), self.compute_dtype))
